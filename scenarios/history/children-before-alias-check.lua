-- SPDX-License-Identifier: GPL-2.0-only
--
-- children-before-alias-check: the children of a live cache are destroyed with one of its aliases.
--
-- Upstream: unloading a module whose cache was merged with a kmalloc cache complained that the
-- cache still had objects, and could panic when a task of a cgroup allocated at the time:
-- children were destroyed before anybody looked whether the cache has other users.
-- Fix: b8529907ba35 (v3.15), "memcg, slab: do not destroy children caches if parent has aliases",
-- Vladimir Davydov: the users are counted first.  That opened alias-resurrect.lua.
-- Had it: kernels before v3.15; here it is v3.15 and v3.16 without the fix.  Hint: two caches
-- that are merged.

local first = { "none", "children-before-alias-check" }

return scenario {
  like = require "lifecycle.alias_in_use",
  lifecycle = "v3.15",
  upstream = "b8529907ba35",

  expect = {
    { "v3.15", variant = first, finds = "use-after-free",
      explore = { strategy = "pct", runs = 5000 }, keeps = "children-before-alias-check" },
    { "v3.16", variant = first, finds = { "use-after-free", "shutdown-referenced" },
      explore = { strategy = "pct", runs = 5000 } },
    { "v3.15", variant = "none", never = "use-after-free",
      explore = { strategy = "pct", runs = 5000 } },
    { "v3.16", variant = "none", never = "use-after-free",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
