-- SPDX-License-Identifier: GPL-2.0-only
--
-- charge-sleeps-under-rcu: a slab page is charged inside a read section, and the charge may sleep.
--
-- Upstream: v3 of the reparenting patch, May 2019.  A child's memcg may be replaced at any time, so
-- it is read under RCU; the charge stood in the same section, and reclaims if the limit is near.
-- Fix: v4 of the posting, 2019-05-14, after a remark of Shakeel Butt: the section ends with a
-- reference on the nearest online memcg, and the charge comes after it.
-- Had it: no lifecycle; it is v5.3 with that posting's charge.  No hint in the scenario: any page
-- of a child does it.

return scenario {
  like = require "lifecycle.offline_vs_alloc",

  expect = {
    { "v5.3", variant = { "none", "charge-sleeps-under-rcu" }, finds = "lock",
      explore = { strategy = "pct", runs = 100 }, keeps = "charge-sleeps-under-rcu" },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
