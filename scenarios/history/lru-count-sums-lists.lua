-- SPDX-License-Identifier: GPL-2.0-only
--
-- lru-count-sums-lists: items are missed, or counted twice, while they move to the parent.
--
-- Upstream: no report is known.  The items of a node were counted by adding up the lists of all
-- memcgs, one after the other, while offline moves the items of one of them to another.
-- Fix: 2c80cd57c743 (v4.13), "mm/list_lru.c: fix list_lru_count_node() to be race free", Sahitya
-- Tummala: one number for the node.
-- Had it: v4.0 to v4.11.  Hint: somebody counts.

local set = { what = "count", before = 2 }
local sums = { "none", "lru-count-sums-lists" }

return scenario {
  like = require "reclaim.list_lru",
  lifecycle = "v4.11",
  upstream = "2c80cd57c743",

  expect = {
    { "v4.11", variant = sums, set = set, finds = "list-lru",
      explore = { strategy = "pct", runs = 1000 }, keeps = "lru-count-sums-lists" },
    { "v4.0", variant = sums, set = set, finds = "list-lru",
      explore = { strategy = "pct", runs = 1000 } },
    { "v4.11", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 2000 } },
    { "v4.18", set = set, never = "*", explore = { strategy = "pct", runs = 2000 } },
  },
}
