-- SPDX-License-Identifier: GPL-2.0-only
--
-- get-cache-rcu-typo: memcg_kmem_get_cache() leaves its read section by entering another one.
--
-- Upstream: v4 of "mm: memcg/slab: rework non-root kmem_cache lifecycle management", mailed on
-- 2019-05-14, was tried with lock debugging and complained about a context switch in a read
-- section; the kernel test robot saw machines reboot.  A kernel without preemption shows nothing
-- at once: there the lock is nearly free, and only the grace periods stop.
-- Fix: one word in v5 of the series, 2019-05-21; found by Waiman Long and the robot.
-- Had it: seed1-v4.  No hint in the scenario: any accounted allocation does it.

local exit = { "none", "get-cache-rcu-typo" }

return scenario {
  like = require "lifecycle.z1",

  expect = {
    { "seed1-v4", variant = exit, finds = "lock", explore = { strategy = "pct", runs = 100 },
      keeps = "get-cache-rcu-typo" },
    -- What follows from it: a grace period that waits for ever.
    { "seed1-v4", variant = exit, finds = "progress", explore = { strategy = "pct", runs = 100 } },
    { "seed1-v4", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
