-- SPDX-License-Identifier: GPL-2.0-only
--
-- refkill-vs-destroy: a root cache is destroyed while the counters of its children switch modes.
--
-- Upstream: unloading a module right after rmdir warned in percpu_ref_exit(), from the work item
-- that removes the sysfs directory; reported by Christian Borntraeger from KVM tests on s390.
-- kmem_cache_destroy() waits for the callbacks and flushes the works that they queued; those
-- works kill the children's counters, which takes one more grace period that nobody waited for.
-- Fix: a264df74df38 (v5.5), "mm: memcg/slab: wait for !root kmem_cache refcnt killing on root
-- kmem_cache destruction", Roman Gushchin: one more rcu_barrier() if there are children.
-- Had it: v5.3, since f0a3a24b532d, and the posting.  No hint in the scenario.

local missing = { "none", "refkill-vs-destroy" }

return scenario {
  like = require "lifecycle.destroy_with_children",
  upstream = "a264df74df38",

  expect = {
    { "v5.3", variant = missing, set = { cgroups = 1 }, finds = "refcount",
      explore = { strategy = "pct", runs = 5000 }, keeps = "refkill-vs-destroy" },
    { "seed1-v4", variant = missing, set = { cgroups = 1 }, finds = "refcount",
      explore = { strategy = "pct", runs = 5000 } },
    { "v5.3", variant = "none", set = { cgroups = 1 }, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
    { "v5.8", set = { cgroups = 1 }, never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
