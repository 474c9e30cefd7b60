-- SPDX-License-Identifier: GPL-2.0-only
--
-- hotplug-wrong-cpu: what a CPU has counted is left behind when it goes away.
--
-- Upstream: no report is known.  What a CPU has counted for a cgroup and not passed on is passed
-- on by a callback when the CPU goes away.  The callback runs on another CPU, and took that one's
-- cells.
-- Fix: a3d4c05a4474 (v5.13), "mm: memcontrol: fix cpuhotplug statistics flushing", Johannes
-- Weiner.
-- Had it: v4.18 to v5.10.  Hint: a CPU goes and comes back.

local own = { "none", "hotplug-wrong-cpu" }

return scenario {
  like = require "reclaim.hotplug",
  lifecycle = "v5.3",
  upstream = "a3d4c05a4474",

  expect = {
    { "v5.3", variant = own, finds = "stat", explore = { strategy = "pct", runs = 5000 },
      keeps = "hotplug-wrong-cpu" },
    { "v5.10", variant = own, finds = "stat", explore = { strategy = "pct", runs = 5000 } },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
    { "v6.1", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
