-- SPDX-License-Identifier: GPL-2.0-only
--
-- destroy-works-fill-queue: works that destroy cgroups wait for one that comes behind them.
--
-- Upstream: systems hung when many cgroups were removed at once.  Cgroups were destroyed by works
-- on the system's queue, which runs so many of a CPU at a time.  One has cgroup_mutex and waits for
-- that CPU to drain its spare charges, by a work on the same queue; the others wait for the mutex.
-- Fix: e5fca243abae (v3.13), "cgroup: use a dedicated workqueue for cgroup destruction", Tejun Heo.
-- Had it: kernels before v3.13, older than every lifecycle; here it is v3.15 without the fix.
-- Hint: hundreds of cgroups with user memory, since the queue runs 256 works of a CPU at a time.

return scenario {
  like = require "lifecycle.mass_removal",
  lifecycle = "v3.15",
  upstream = "e5fca243abae",

  expect = {
    { "v3.15", variant = { "none", "destroy-works-fill-queue" }, set = { cgroups = 300 },
      finds = "progress", explore = { strategy = "pct", runs = 100 },
      keeps = "destroy-works-fill-queue" },
    { "v3.15", variant = "none", set = { cgroups = 300 }, never = "*",
      explore = { strategy = "pct", runs = 30 } },
  },
}
