-- SPDX-License-Identifier: GPL-2.0-only
--
-- lru-reparent-skip-empty: an item is added to the list of a cgroup that has just been emptied.
--
-- Upstream: merged for v5.18 and taken back before the release, after Muchun Song had shown the
-- race.  Offline looked without the lock whether the node has any items, and left the lists alone
-- if it has none; but whoever is about to add one has found the list before and counts it last.
-- Fix: b33e1044475a (v5.18), which reverts 405cc51fc104: the lock is taken first.
-- Had it: between two releases; here it is v5.10 and v6.1 with it.  Hint: a file of the cgroup is
-- closed by somebody else.

local skip = { "none", "lru-reparent-skip-empty" }
local set = { what = "close" }

return scenario {
  like = require "reclaim.list_lru",
  lifecycle = "v6.1",
  upstream = "b33e1044475a",

  expect = {
    { "v6.1", variant = skip, set = set, finds = "list-lru",
      explore = { strategy = "pct", runs = 5000 }, keeps = "lru-reparent-skip-empty" },
    { "v5.10", variant = skip, set = set, finds = "list-lru",
      explore = { strategy = "pct", runs = 5000 } },
    { "v6.1", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
    { "v5.10", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
