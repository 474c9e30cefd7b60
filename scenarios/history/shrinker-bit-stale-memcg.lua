-- SPDX-License-Identifier: GPL-2.0-only
--
-- shrinker-bit-stale-memcg: an item goes onto the parent's list, and the child's bit is set for it.
--
-- Upstream: not on record anywhere that we know of; it follows from the code.  Adding an item
-- looks up its memcg, then the memcg's index, adds to the list that the index leads to and sets
-- the shrinker's bit of the memcg.  If that one goes offline between the two lookups, the list is
-- the parent's, and nobody reads the bit.
-- Fix: none up to v6.12; here the bit is set for whoever has the index.
-- Had it: every lifecycle with a map of shrinkers.  Hint: a file of the cgroup is closed by
-- somebody else.

local set = { what = "close" }
local stale = { "none", "shrinker-bit-stale-memcg" }

return scenario {
  like = require "reclaim.list_lru",
  lifecycle = "v6.12",

  expect = {
    { "v6.12", variant = stale, set = set, finds = "list-lru",
      explore = { strategy = "pct", runs = 20000 }, keeps = "shrinker-bit-stale-memcg" },
    { "v5.3", variant = stale, set = set, finds = "list-lru",
      explore = { strategy = "pct", runs = 20000 } },
    { "v6.12", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
