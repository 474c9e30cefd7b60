-- SPDX-License-Identifier: GPL-2.0-only
--
-- list-before-pointer: a walk over a memcg's caches comes to one that has no slot yet.
--
-- Upstream: no report is known.  A new child was put on its memcg's list before its root's array
-- showed it, and the list is walked through the array: NULL.
-- Fix: 96403da24444 (v3.14), "memcg: fix possible NULL deref while traversing memcg_slab_caches
-- list", Vladimir Davydov: first the slot, then the list, and the other way round at the end.
-- Had it: kernels before v3.14, older than every lifecycle; here it is v3.15 without the fix.  No
-- hint in the scenario.

return scenario {
  like = require "lifecycle.whole_life",
  lifecycle = "v3.15",
  upstream = "96403da24444",

  expect = {
    { "v3.15", variant = { "none", "list-before-pointer" }, finds = "use-after-free",
      explore = { strategy = "pct", runs = 20000 }, keeps = "list-before-pointer" },
    { "v3.15", variant = "none", never = "use-after-free",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
