-- SPDX-License-Identifier: GPL-2.0-only
--
-- objstock-double-read: a removal asks whether another CPU keeps an objcg, and looks again.
--
-- Upstream: a panic in a memory stress test of LTP when cgroups are deleted, reported by
-- Alexander Fedorov on a kernel with PREEMPT_RT, and a report of KCSAN.  The owner of the stock
-- may empty it between the two reads.
-- Fix: 3b8abb323953 (v6.5), "mm: kmem: fix a NULL pointer dereference in
-- obj_stock_flush_required()", Roman Gushchin: one read.
-- Had it: v5.9 to v6.1, since bf4f059954dc.  Hint: two CPUs, each of which is used by another
-- cgroup.

local twice = { "none", "objstock-double-read" }

return scenario {
  like = require "reclaim.objstock",
  lifecycle = "v6.1",
  upstream = "3b8abb323953",

  expect = {
    { "v6.1", variant = twice, finds = "use-after-free",
      explore = { strategy = "pct", runs = 5000 }, keeps = "objstock-double-read" },
    { "v5.10", variant = twice, finds = "use-after-free",
      explore = { strategy = "pct", runs = 5000 } },
    { "v6.1", variant = "none", never = "*", explore = { strategy = "pct", runs = 10000 } },
    { "v6.12", never = "*", explore = { strategy = "pct", runs = 10000 } },
  },
}
