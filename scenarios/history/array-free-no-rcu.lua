-- SPDX-License-Identifier: GPL-2.0-only
--
-- array-free-no-rcu: a lookup reads an array of children that has been replaced and freed.
--
-- Upstream: no report is known; found by reading.  An allocation loads the root's array and then a
-- slot of it, without a lock; growing shows a larger array and freed the old one at once.
-- Fix: f8570263ee16 (v3.14), "memcg, slab: RCU protect memcg_params for root caches", Vladimir
-- Davydov: the old array goes after a grace period, and is read in a read section.  Either half
-- alone fails the same way: array-freed-at-once, array-no-section.
-- Had it: kernels before v3.14, older than every lifecycle; here it is v3.15 without the fix.
-- Hint: new cgroups while a task allocates.

local search = { strategy = "pct", runs = 5000 }

return scenario {
  like = require "lifecycle.array_growth",
  lifecycle = "v3.15",
  upstream = "f8570263ee16",

  expect = {
    { "v3.15", variant = { "none", "array-free-no-rcu" }, finds = "use-after-free",
      explore = search, keeps = "array-free-no-rcu" },
    { "v3.15", variant = { "none", "array-freed-at-once" }, finds = "use-after-free",
      explore = search },
    { "v3.15", variant = { "none", "array-no-section" }, finds = "use-after-free",
      explore = search },
    { "v3.15", variant = "none", never = "use-after-free", explore = search },
    { "v3.16", variant = "none", never = "use-after-free", explore = search },
  },
}
