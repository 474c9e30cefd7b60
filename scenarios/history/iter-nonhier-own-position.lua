-- SPDX-License-Identifier: GPL-2.0-only
--
-- iter-nonhier-own-position: half a fix, after which a walk still goes on from a freed cgroup.
--
-- Upstream and fix: iter-nonhier-stale-position.lua.  This is what 9f15bde67113 (v4.18) left: the
-- release clears the positions below the cgroup itself and its parents, and not those of the root
-- of all.
-- Had it: v4.18 without use_hierarchy.  Hint: no hierarchy, and a walk over all cgroups.

local flat = { hierarchy = false, whole = true }

return scenario {
  like = require "reclaim.iter",
  lifecycle = "v4.18",
  upstream = "54a83d6bcbf8",

  expect = {
    { "v4.18", variant = { "none", "iter-nonhier-own-position" }, set = flat, finds = "iterator",
      explore = { strategy = "pct", runs = 1000 }, keeps = "iter-nonhier-own-position" },
    { "v4.18", variant = "none", set = flat, never = "*",
      explore = { strategy = "pct", runs = 1000 } },
    { "v5.3", variant = "none", set = flat, never = "*",
      explore = { strategy = "pct", runs = 1000 } },
  },
}
