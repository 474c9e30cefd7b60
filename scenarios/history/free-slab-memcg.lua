-- SPDX-License-Identifier: GPL-2.0-only
--
-- free-slab-memcg: RCU frees a slab page whose cache has no memcg any more.
--
-- Upstream: a NULL pointer in __free_slab(), called from softirq; reported by Karsten Graul on
-- s390. The empty pages of a SLAB_TYPESAFE_BY_RCU cache leave it a grace period before they are
-- uncharged; the shutdown of a child let go of the memcg at once.
-- Fix: b749ecfaf6c5 (v5.4), "mm: memcg/slab: fix panic in __free_slab() caused by premature memcg
-- pointer release", Roman Gushchin: the memcg goes with the cache, after the barrier.
-- Had it: v5.3, since fb2f2b0adb98; in the posting the pointer is stale instead of NULL.
-- Hint: a cache of that type, and its root is destroyed.

local early = { "none", "free-slab-memcg" }
local root = { root_first = true, objects = 7 }

return scenario {
  like = require "lifecycle.typesafe",
  upstream = "b749ecfaf6c5",

  expect = {
    { "v5.3", variant = early, set = root, finds = "use-after-free",
      explore = { strategy = "pct", runs = 500 }, keeps = "free-slab-memcg" },
    { "seed1-v4", variant = early, set = root, finds = "use-after-free",
      explore = { strategy = "pct", runs = 500 } },
    { "v5.3", variant = "none", set = root, never = "*",
      explore = { strategy = "pct", runs = 1000 } },
    { "v5.8", set = root, never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
