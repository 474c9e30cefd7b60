-- SPDX-License-Identifier: GPL-2.0-only
--
-- lru-drain-before-reid: offline empties a cgroup's lists while others still find them.
--
-- Upstream: never; the order is the rule of 2788cf0c401c (v4.0), Vladimir Davydov: first the memcg
-- and all below it take the parent's index, then their items go to the parent's lists.  Who adds
-- an item looks the index up with the list_lru's lock held, so he has either put it where the
-- second step finds it, or onto the parent's list.  Here the steps come the other way round.
-- Fix: none was needed.
-- Had it: no version.  Hint: a file of the cgroup is closed.

local set = { what = "close" }

return scenario {
  like = require "reclaim.list_lru",
  lifecycle = "v4.0",
  upstream = "2788cf0c401c",

  expect = {
    { "v4.0", variant = { "none", "lru-drain-before-reid" }, set = set, finds = "list-lru",
      explore = { strategy = "pct", runs = 5000 }, keeps = "lru-drain-before-reid" },
    { "v4.18", variant = { "none", "lru-drain-before-reid" }, set = set, finds = "list-lru",
      explore = { strategy = "pct", runs = 5000 } },
    { "v4.0", variant = "none", set = set, never = "*",
      explore = { strategy = "bounded", preemptions = 1 } },
    { "v4.0", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
