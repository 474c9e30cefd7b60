-- SPDX-License-Identifier: GPL-2.0-only
--
-- iter-nonhier-stale-position: a walk goes on from a cgroup that was freed.
--
-- Upstream: crashes in css_tryget() under kswapd and direct reclaim, a few times a month on
-- Android.  A position that holds nothing has to be cleared when its cgroup goes; the release
-- climbed the parents, and without a hierarchy there are none, so that the walk of the root of
-- all kept it.
-- Fix: 9f15bde67113 (v4.18), Jing Xia, for its own positions only; 54a83d6bcbf8 (v5.3),
-- "mm/memcontrol.c: fix use after free in mem_cgroup_iter()", Miles Chen, for those of the root.
-- Had it: v4.7 to v4.18 without use_hierarchy, since 6df38689e0e9.  Hint: no hierarchy, and a
-- walk over all cgroups.

local flat = { hierarchy = false, whole = true }
local parents = { "none", "iter-nonhier-stale-position" }

return scenario {
  like = require "reclaim.iter",
  lifecycle = "v4.7",
  upstream = "54a83d6bcbf8",

  expect = {
    { "v4.7", variant = parents, set = flat, finds = "iterator",
      explore = { strategy = "pct", runs = 1000 }, keeps = "iter-nonhier-stale-position" },
    { "v4.7", variant = parents, set = flat, finds = "use-after-free",
      explore = { strategy = "pct", runs = 1000 } },
    { "v4.7", variant = "none", set = flat, never = "*",
      explore = { strategy = "pct", runs = 1000 } },
    { "v5.3", variant = "none", set = flat, never = "*",
      explore = { strategy = "pct", runs = 1000 } },
  },
}
