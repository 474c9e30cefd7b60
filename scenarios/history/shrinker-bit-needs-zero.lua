-- SPDX-License-Identifier: GPL-2.0-only
--
-- shrinker-bit-needs-zero: items that the parent inherits are invisible to reclaim.
--
-- Upstream: items of removed cgroups stayed where no reclaim looked for them.  Offline told the
-- parent's shrinker of them if the parent's list had none so far; a deletion that comes between
-- the move of the items and that of their number makes it minus one, which is not none.
-- Fix: 8199be001a47 (v5.10): whenever items are moved.
-- Had it: every lifecycle with a map of shrinkers up to v5.9.  Hint: a name of the cgroup is
-- thrown out.

local zero = { "none", "shrinker-bit-needs-zero" }
local set = { what = "invalidate", before = 2 }

return scenario {
  like = require "reclaim.list_lru",
  lifecycle = "v5.3",
  upstream = "8199be001a47",

  expect = {
    { "v5.3", variant = zero, set = set, finds = "list-lru",
      explore = { strategy = "pct", runs = 5000 }, keeps = "shrinker-bit-needs-zero" },
    { "v5.9", variant = zero, set = set, finds = "list-lru",
      explore = { strategy = "pct", runs = 5000 } },
    { "v5.3", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
    { "v5.10", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
