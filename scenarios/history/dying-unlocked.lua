-- SPDX-License-Identifier: GPL-2.0-only
--
-- dying-unlocked: the last put of a child and the destruction of its root both shut it down.
--
-- Upstream: v3 of "mm: memcg/slab: rework non-root kmem_cache lifecycle management", May 2019.  The
-- release callback of a child asks whether its root is dying, and if not queues the shutdown; it
-- cannot take slab_mutex, under which the flag was set, so it asked without any lock.
-- Fix: v4 of the posting, 2019-05-14, after a remark of Shakeel Butt: test and queueing under a
-- spinlock, under which the flag is set as well.
-- Had it: no lifecycle; it is v5.3 with that posting's test.  The flag has to be set without
-- slab_mutex, as in v5.3.  Hint: somebody shrinks caches, which frees a last page outside of RCU.

local unlocked = { "none", "dying-on-alias", "dying-unlocked" }

return scenario {
  like = require "lifecycle.shrink_vs_destroy",

  expect = {
    { "v5.3", variant = unlocked, finds = "use-after-free",
      explore = { strategy = "pct", runs = 50000 }, keeps = "dying-unlocked" },
    { "v5.3", variant = { "none", "dying-on-alias" }, never = "*",
      explore = { strategy = "pct", runs = 30000 } },
    { "v5.8", variant = "none", never = "*", explore = { strategy = "pct", runs = 10000 } },
  },
}
