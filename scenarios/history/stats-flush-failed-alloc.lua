-- SPDX-License-Identifier: GPL-2.0-only
--
-- stats-flush-failed-alloc: the cells that could not be allocated are flushed.
--
-- Upstream: the flush that fixed percpu-stats-lost.lua stands where a memcg is freed, and that is
-- also where a creation ends whose cells could not be had.
-- Fix: 7961eee39785 (v5.4), Shakeel Butt.
-- Had it: v5.3.  Hint: one allocation may fail, and a cgroup is made.

local set = { faults = true }

return scenario {
  like = require "reclaim.stats",
  lifecycle = "v5.3",
  upstream = "7961eee39785",

  expect = {
    { "v5.3", variant = { "none", "stats-flush-failed-alloc" }, set = set,
      finds = "use-after-free", explore = { strategy = "pct", runs = 1000 },
      keeps = "stats-flush-failed-alloc" },
    { "v5.3", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 1000 } },
    { "v5.8", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 1000 } },
  },
}
