-- SPDX-License-Identifier: GPL-2.0-only
--
-- iter-pins-css: a walk that was broken off keeps a removed cgroup for ever.
--
-- Upstream: removed cgroups stayed in memory without bound.  Reclaimers share the position of
-- their walk over a hierarchy, and that position held a reference; if nobody walks on from there
-- at that priority, nobody ever drops it.
-- Fix: 5f5781619718 (v3.10), "memcg: relax memcg iter caching", Michal Hocko; and again, after
-- 5ac8fb31ad2e (v3.19) had brought the reference back, 6df38689e0e9 (v4.5), "mm: memcontrol: fix
-- possible memcg leak due to interrupted reclaim", Vladimir Davydov: a position holds nothing and
-- is cleared at the release of what it stands on.
-- Had it: v3.19 and v4.0.  No hint in the scenario.

local pins = { "none", "iter-pins-css" }

return scenario {
  like = require "reclaim.iter",
  lifecycle = "v3.19",
  upstream = "6df38689e0e9",

  expect = {
    { "v3.19", variant = pins, finds = "leak", explore = { strategy = "pct", runs = 1000 },
      keeps = "iter-pins-css" },
    { "v4.0", variant = pins, finds = "leak", explore = { strategy = "pct", runs = 1000 } },
    { "v4.0", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
    { "v4.7", never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
