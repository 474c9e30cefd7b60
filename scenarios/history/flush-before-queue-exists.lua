-- SPDX-License-Identifier: GPL-2.0-only
--
-- flush-before-queue-exists: a cache is destroyed so early that there is no workqueue to flush.
--
-- Upstream: a crash at boot.  Since 92ee383f6daa (v4.18) kmem_cache_destroy() flushes the queue of
-- the works that create and end children; a driver that gives up while the system boots may come
-- before the queue does.
-- Fix: 2fe20210fc5f (v5.5), "mm: memcg/slab: call flush_memcg_workqueue() only if memcg workqueue
-- is valid", Adrian Huang.
-- Had it: v4.18 and v5.3, where it is off unless asked for: in a simulated machine there is no such
-- queue before the first cgroup, which is long after a boot.  Hint: a cache that comes and goes
-- before there is any cgroup.

local early = { "none", "flush-before-queue-exists" }

return scenario {
  like = require "lifecycle.early_destroy",
  upstream = "2fe20210fc5f",

  expect = {
    { "v5.3", variant = early, finds = "use-after-free",
      explore = { strategy = "pct", runs = 100 }, keeps = "flush-before-queue-exists" },
    { "v4.18", variant = early, finds = "use-after-free",
      explore = { strategy = "pct", runs = 100 } },
    { "v4.18", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
    { "v5.8", never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
