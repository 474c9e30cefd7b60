-- SPDX-License-Identifier: GPL-2.0-only
--
-- shrinker-bit-no-rescan: a walk clears the bit of a list that has just got its first item.
--
-- Upstream: never; Kirill Tkhai's bitmaps (the series of 0a4465d34028, v4.19) have had the
-- hand-shake from the beginning.  A shrinker says that a cgroup has nothing, an item comes and sets
-- the bit that is still set, and the walk clears it.  Therefore it asks once more and sets the bit
-- again if there is something.  Here it does not.  The barriers of both sides are in
-- scenarios/models/shrinker_bit.lua.
-- Fix: none was needed.
-- Had it: no version.  No hint in the scenario.

local set = { what = "walk" }

return scenario {
  like = require "reclaim.shrinker_bits",
  lifecycle = "v5.3",
  upstream = "0a4465d34028",

  expect = {
    { "v5.3", variant = { "none", "shrinker-bit-no-rescan" }, set = set, finds = "list-lru",
      explore = { strategy = "pct", runs = 5000 }, keeps = "shrinker-bit-no-rescan" },
    { "v6.12", variant = { "none", "shrinker-bit-no-rescan" }, set = set, finds = "list-lru",
      explore = { strategy = "pct", runs = 5000 } },
    { "v5.3", variant = "none", set = set, never = "*",
      explore = { strategy = "bounded", preemptions = 1 } },
    { "v5.3", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
    { "v6.12", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
