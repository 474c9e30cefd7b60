-- SPDX-License-Identifier: GPL-2.0-only
--
-- objstock-put-before-clear: a CPU drains its stock and lets go of what the stock still shows.
--
-- Upstream: the sister of objstock-double-read.lua.  The reference on the objcg is put, which may
-- be the last, and the pointer is cleared then.  Interrupts are off meanwhile, so that no grace
-- period ends; but one that begins before somebody else looks does not wait for him.
-- Fix: 567511462387 (v5.18), "mm/memcg: protect memcg_stock with a local_lock_t", Sebastian Andrzej
-- Siewior: the pointer is cleared, and the reference put once the lock is dropped.
-- Had it: v5.9 and v5.10, since bf4f059954dc.  No hint in the scenario.

local put_first = { "none", "objstock-put-before-clear" }

return scenario {
  like = require "reclaim.objstock",
  lifecycle = "v5.10",
  upstream = "567511462387",

  expect = {
    { "v5.10", variant = put_first, finds = "use-after-free",
      explore = { strategy = "pct", runs = 30000 }, keeps = "objstock-put-before-clear" },
    { "v5.9", variant = put_first, finds = "use-after-free",
      explore = { strategy = "pct", runs = 30000 } },
    { "v5.10", variant = "none", never = "*", explore = { strategy = "pct", runs = 30000 } },
    { "v6.1", variant = "none", never = "*", explore = { strategy = "pct", runs = 30000 } },
  },
}
