-- SPDX-License-Identifier: GPL-2.0-only
--
-- vector-as-memcg: a slab page's vector of objcgs is followed as if it were a memcg.
--
-- Upstream: no report is known.  One word of a page is a memcg, a marked vector or nothing. Since
-- all cgroups share their caches, the vector may come while the page is in use:
-- mem_cgroup_from_obj() saw nothing, so no vector, and read the word again to return it.
-- Fix: 19b629c9795b (v5.10), "mm: memcg/slab: fix racy access to page->mem_cgroup in
-- mem_cgroup_from_obj()", Roman Gushchin: the word is read once.
-- Had it: v5.9, since 10befea91b61.  Hint: the first object of a page is not charged, the second
-- is.

return scenario {
  like = require "lifecycle.objcg",
  lifecycle = "v5.9",
  upstream = "19b629c9795b",

  expect = {
    { "v5.9", variant = { "none", "vector-as-memcg" }, finds = "use-after-free",
      explore = { strategy = "pct", runs = 5000 }, keeps = "vector-as-memcg" },
    { "v5.9", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
    { "v5.10", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
