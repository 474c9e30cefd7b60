-- SPDX-License-Identifier: GPL-2.0-only
--
-- stats-flush-own-cpu: a flush over all CPUs adds up its own CPU's cell each time.
--
-- Upstream: the fix of percpu-stats-lost.lua as it came first: the loop goes over the CPUs, the
-- load in it is for the CPU that it runs on.
-- Fix: 6c1c280805de (v5.3), Shakeel Butt.
-- Had it: between two releases; here it is v5.3 without the fix.  Hint: as in
-- percpu-stats-lost.lua.

return scenario {
  like = require "reclaim.stats",
  lifecycle = "v5.3",
  faults = 0,
  upstream = "6c1c280805de",

  expect = {
    { "v5.3", variant = { "none", "stats-flush-own-cpu" }, finds = "stat",
      explore = { strategy = "pct", runs = 500 }, keeps = "stats-flush-own-cpu" },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
