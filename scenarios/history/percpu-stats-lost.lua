-- SPDX-License-Identifier: GPL-2.0-only
--
-- percpu-stats-lost: what CPUs have counted for a cgroup goes with it, and its parent is wrong.
--
-- Upstream: counters of parents drifted with every removed cgroup, and were shown as zero once
-- negative.  CPUs count in cells of their own and pass on what exceeds a batch; the cells were
-- dropped with the memcg, while its pages, which reparenting keeps, are taken off the parent's
-- count later.
-- Fix: c350a99ea2b1 (v5.3), "mm: memcontrol: flush percpu vmstats before releasing memcg", Roman
-- Gushchin.
-- Had it: seed1-v4, before reparenting was merged.  Hint: a cgroup in a cgroup, and objects that
-- outlive it.

local lost = { "none", "percpu-stats-lost" }

return scenario {
  like = require "reclaim.stats",
  lifecycle = "seed1-v4",
  faults = 0,
  upstream = "c350a99ea2b1",

  expect = {
    { "seed1-v4", variant = lost, finds = "stat", explore = { strategy = "pct", runs = 500 },
      keeps = "percpu-stats-lost" },
    { "v5.3", variant = lost, finds = "stat", explore = { strategy = "pct", runs = 500 } },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
    { "v5.8", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
