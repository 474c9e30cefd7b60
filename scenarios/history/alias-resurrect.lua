-- SPDX-License-Identifier: GPL-2.0-only
--
-- alias-resurrect: a new cache is merged with one that is past its destruction.
--
-- Upstream: nobody reported it; the patch that closed it was a clean-up.  kmem_cache_destroy() of
-- v3.15 to v3.19 finds that the last user has gone, drops slab_mutex to end the children, and
-- takes it again without looking; in between an equal cache may be created, which then is this
-- one.
-- Fix: d5b3cf7139b8 (v4.0), "memcg: zap memcg_slab_caches and memcg_slab_mutex", Vladimir
-- Davydov: one critical section from the last user to the end.
-- Had it: v3.19.  Hint: two modules whose caches are alike.

return scenario {
  like = require "lifecycle.alias_new",
  lifecycle = "v3.19",
  upstream = "d5b3cf7139b8",

  expect = {
    { "v3.19", variant = { "none", "alias-resurrect" }, finds = "use-after-free",
      explore = { strategy = "pct", runs = 500 }, keeps = "alias-resurrect" },
    { "v3.19", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
    { "v4.0", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
