-- SPDX-License-Identifier: GPL-2.0-only
--
-- array-relocate-lost: a creation looks into an array that is yet to be filled, and makes a second
-- child.
--
-- Upstream: no report is known; leaked caches, and a slot that shows a freed one.  Two creations
-- may be queued for the same child.  They asked for an existing one under a mutex of their own,
-- not under slab_mutex, under which a larger array was shown first and filled then.
-- Fix: 2edefe1155b3 (v3.14), "memcg, slab: fix races in per-memcg cache creation/destruction",
-- Vladimir Davydov: test and creation in one section under slab_mutex.
-- Had it: kernels before v3.14, older than every lifecycle; here it is v3.15 and v3.16 without the
-- fix.  Hint: new cgroups while a task allocates.

local lost = { "none", "array-relocate-lost" }

return scenario {
  like = require "lifecycle.array_growth",
  lifecycle = "v3.15",
  upstream = "2edefe1155b3",

  expect = {
    { "v3.15", variant = lost, finds = "slot", explore = { strategy = "pct", runs = 20000 },
      keeps = "array-relocate-lost" },
    { "v3.16", variant = lost, finds = "slot", explore = { strategy = "pct", runs = 20000 } },
    { "v3.15", variant = "none", never = "slot", explore = { strategy = "pct", runs = 20000 } },
    { "v3.16", variant = "none", never = "slot", explore = { strategy = "pct", runs = 20000 } },
  },
}
