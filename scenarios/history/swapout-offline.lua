-- SPDX-License-Identifier: GPL-2.0-only
--
-- swapout-offline: what goes to swap after the removal is charged to nobody who will be asked.
--
-- Upstream: swap counters of removed cgroups never came back to zero.  A page of an offline memcg
-- goes to swap: the memcg is charged for it, but the entry remembers the memcg by an id that was
-- given up at offline, so that the charge is given back to nobody, or to whoever has the id by
-- then.
-- Fix: 1f47b61fb407 (v4.8), "mm: memcontrol: fix swap counter leak on swapout from offline
-- cgroup", Vladimir Davydov: the nearest ancestor that still has its id pays.
-- Had it: v4.7, since 73f576c04b94.  Hint: memory of the cgroup goes to swap meanwhile.

local own = { "none", "swapout-offline" }

return scenario {
  like = require "reclaim.swap",
  lifecycle = "v4.7",
  upstream = "1f47b61fb407",

  expect = {
    { "v4.7", variant = own, finds = "charge", explore = { strategy = "pct", runs = 500 },
      keeps = "swapout-offline" },
    { "v4.7", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
    { "v4.10", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
