-- SPDX-License-Identifier: GPL-2.0-only
--
-- release-lock-irq: an interrupt takes the lock that its own CPU holds.
--
-- Upstream: v4 of the same series put "is the root dying, if not queue the shutdown" under a new
-- spinlock.  The last reference of a child may go in softirq, when RCU frees its last slab page;
-- kmem_cache_destroy() took the lock with interrupts on.  Vladimir Davydov saw it in review of
-- v5.
-- Fix: interrupts are off wherever the lock is held, from v6 of the series on, 2019-06-04.
-- Had it: seed1-v4.  Hint: the last object is freed in an interrupt, on the CPU that destroys.

return scenario {
  like = require "lifecycle.irq_free_vs_destroy",

  expect = {
    { "seed1-v4", variant = { "none", "release-lock-irq" }, finds = "lock",
      explore = { strategy = "pct", runs = 500 }, keeps = "release-lock-irq" },
    { "seed1-v4", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
