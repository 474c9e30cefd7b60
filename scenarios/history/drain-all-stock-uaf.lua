-- SPDX-License-Identifier: GPL-2.0-only
--
-- drain-all-stock-uaf: a drain follows a name in another CPU's stock to a freed cgroup.
--
-- Upstream: a general protection fault in drain_all_stock() on force_empty, with poison in a
-- register.  A stock that has given out its last page still names its memcg, without a reference.
-- A drain loads the name, another memcg takes the stock over, and the number of pages that is
-- loaded next belongs to that one; then the drain asks where the first one stands in the
-- hierarchy.
-- Fix: 1a3e1f40962c (v5.9), "mm: memcontrol: decouple reference counting from page accounting",
-- Johannes Weiner, without meaning to: an entry holds a reference.  As a fix of its own for v4.19
-- and v5.4: GONG Ruiqi, February 2024.
-- Had it: every lifecycle up to v5.8.  Hint: three cgroups share the stocks of two CPUs.

local unpinned = { "none", "drain-all-stock-uaf" }

return scenario {
  like = require "reclaim.stock",
  lifecycle = "v5.3",
  upstream = "1a3e1f40962c",

  expect = {
    { "v5.3", variant = unpinned, finds = "use-after-free",
      explore = { strategy = "pct", runs = 20000 }, keeps = "drain-all-stock-uaf" },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
    { "v5.9", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
