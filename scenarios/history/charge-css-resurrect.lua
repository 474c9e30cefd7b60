-- SPDX-License-Identifier: GPL-2.0-only
--
-- charge-css-resurrect: a charge takes a reference on a memcg that has none left.
--
-- Upstream: no report is known.  A charge reads which memcg an objcg stands for and takes a
-- reference on it; the read section keeps the memory, but nobody vouches for the count.  Zero
-- becomes one, and the put that follows releases the memcg a second time.
-- Fix: eefbfa7fd678 (v5.11), "mm: memcg/slab: fix use after free in obj_cgroup_charge", Muchun
-- Song: a tryget, and the pointer is read again where it fails.
-- Had it: v5.9, since bf4f059954dc.  No hint in the scenario.

return scenario {
  like = require "lifecycle.charge_vs_offline",
  lifecycle = "v5.9",
  upstream = "eefbfa7fd678",

  expect = {
    { "v5.9", variant = { "none", "charge-css-resurrect" }, finds = "refcount",
      explore = { strategy = "pct", runs = 200000 }, keeps = "charge-css-resurrect" },
    { "v5.9", variant = "none", never = "*", explore = { strategy = "pct", runs = 10000 } },
    { "v5.10", variant = "none", never = "*", explore = { strategy = "pct", runs = 10000 } },
  },
}
