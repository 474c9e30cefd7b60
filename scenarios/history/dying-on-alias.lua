-- SPDX-License-Identifier: GPL-2.0-only
--
-- dying-on-alias: destroying one of two merged caches marks the one that lives as dying.
--
-- Upstream: the child caches of every later cgroup leaked.  kmem_cache_destroy() set the mark
-- that came with 92ee383f6daa before it looked whether the cache has other users; a child whose
-- root is marked is never deactivated.
-- Fix: d38a2b7a9c93 (v5.8), "mm: memcg/slab: fix memory leak at non-root kmem_cache destroy",
-- Muchun Song: the mark is set when the last user has gone.
-- Had it: v4.18 to v5.3, and the posting.  dying-on-alias-shrink.lua has the form of v4.18.
-- Hint: two caches that are merged.

local free = { ordered = false }

return scenario {
  like = require "lifecycle.alias",
  upstream = "d38a2b7a9c93",

  expect = {
    { "v5.3", variant = { "none", "dying-on-alias" }, set = free, finds = "leak",
      explore = { strategy = "pct", runs = 500 }, keeps = "dying-on-alias" },
    { "v5.3", variant = "none", set = free, never = "*",
      explore = { strategy = "pct", runs = 1000 } },
    { "v5.8", set = free, never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
