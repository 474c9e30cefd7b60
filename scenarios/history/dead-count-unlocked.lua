-- SPDX-License-Identifier: GPL-2.0-only
--
-- dead-count-unlocked: the position of one walker is stored with the count of another.
--
-- Upstream: no report is known.  In v3.10 to v3.18 walkers share a position and the count that
-- makes it valid, and store the two one after the other, without a lock.
-- Fix: none of its own; 5ac8fb31ad2e (v3.19) replaced the design.
-- Had it: v3.10 to v3.18, older than the lifecycles; here it is their design.  Hint: rmdir takes
-- the cgroup offline itself, as it did then, and each reclaimer walks once.

local set = { iterator = "dead-count", at_rmdir = true, walks = 1, removed = "a" }

return scenario {
  like = require "reclaim.iter",
  upstream = "5ac8fb31ad2e",

  expect = {
    { "v5.3", variant = { "none", "dead-count-unlocked" }, set = set, finds = "iterator",
      explore = { strategy = "pct", runs = 60000 }, keeps = "dead-count-unlocked" },
    { "v5.3", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 30000 } },
  },
}
