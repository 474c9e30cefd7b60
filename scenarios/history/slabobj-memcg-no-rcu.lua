-- SPDX-License-Identifier: GPL-2.0-only
--
-- slabobj-memcg-no-rcu: an item's cgroup is freed between the lookup of it and the look at it.
--
-- Upstream: no report is known.  An object leads to an objcg and that to a memcg, which holds
-- only inside of a read section; the way to a list took it outside and went on with it.
-- Fix: 5161b48712dc (v6.11), "mm: list_lru: fix UAF for memory cgroup", Muchun Song: a read
-- section around both.
-- Had it: v6.8 to v6.10, since 0a97c01cd20b; here it is v6.12 without the fix.  Hint: files that
-- a server keeps, since their user holds no spinlock, which would do as a read section.

local set = { what = "keep" }

return scenario {
  like = require "reclaim.list_lru",
  lifecycle = "v6.12",
  upstream = "5161b48712dc",

  expect = {
    { "v6.12", variant = { "none", "slabobj-memcg-no-rcu" }, set = set, finds = "use-after-free",
      explore = { strategy = "pct", runs = 20000 }, keeps = "slabobj-memcg-no-rcu" },
    { "v6.12", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
