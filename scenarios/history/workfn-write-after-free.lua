-- SPDX-License-Identifier: GPL-2.0-only
--
-- workfn-write-after-free: a worker clears a field of the cache that it has just freed.
--
-- Upstream: one work item does both jobs of a child cache, and its function stores NULL over the
-- job when that is done.  If the job was the shutdown, the cache may be gone: poison with eight
-- zero bytes in it, reported from an arm64 machine running linux-next.
-- Fix: "mm/slab: fix an use-after-free in kmemcg_workfn()", Qian Cai, 2019-06-19, folded into the
-- series before v5.3: nothing is stored after the job.
-- Had it: seed1-v4.  Hint: others use kernfs meanwhile, so that the release may come from
-- elsewhere.

local write = { "none", "workfn-write-after-free" }

return scenario {
  like = require "lifecycle.sysfs_contention",

  expect = {
    { "seed1-v4", variant = write, set = { rounds = 2 }, finds = "use-after-free",
      explore = { strategy = "pct", runs = 5000 }, keeps = "workfn-write-after-free" },
    { "seed1-v4", variant = "none", set = { rounds = 2 }, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
    { "v5.3", variant = "none", set = { rounds = 2 }, never = "*",
      explore = { strategy = "pct", runs = 1000 } },
  },
}
