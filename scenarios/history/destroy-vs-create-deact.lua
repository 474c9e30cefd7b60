-- SPDX-License-Identifier: GPL-2.0-only
--
-- destroy-vs-create-deact: a root cache is destroyed although works for it and its children wait.
--
-- Upstream: a general protection fault in has_cpu_slab(), in the worker of the memcg caches.  A
-- removed cgroup's child is queued for a callback and then a work item, a first allocation queues
-- the creation of a child; kmem_cache_destroy() knew of neither.
-- Fix: 92ee383f6daa (v4.18), "mm: fix race between kmem_cache destroy, create and deactivate",
-- Shakeel Butt: mark the root as dying, wait for callbacks, flush the works, only then go on.
-- What becomes of it with one of the three missing:
-- scenarios/lifecycle/destroy_with_children.lua.
-- Had it: every lifecycle up to v4.11.  Before v4.11 only the creation is deferred, see
-- whole_life. No hint in the scenario.

local unaware = { "none", "destroy-vs-create-deact" }

return scenario {
  like = require "lifecycle.destroy_with_children",
  lifecycle = "v4.11",
  upstream = "92ee383f6daa",

  expect = {
    { "v4.11", variant = unaware, set = { cgroups = 1 }, finds = "use-after-free",
      explore = { strategy = "pct", runs = 5000 }, keeps = "destroy-vs-create-deact" },
    { "v4.11", variant = "none", set = { cgroups = 1 }, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
    { "v4.18", set = { cgroups = 1 }, never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
