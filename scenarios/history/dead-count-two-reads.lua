-- SPDX-License-Identifier: GPL-2.0-only
--
-- dead-count-two-reads: a position is declared valid by a count that is newer than it is.
--
-- Upstream: caught in Johannes Weiner's review, February 2013.  A position without a reference is
-- valid as long as nobody below its root has gone, which a count tells.  The draft read the
-- count, chose its position, and read the count again to store it: who went in between is not
-- noticed, and the next walker follows him.
-- Fix: in the next version of the series, which became 5f5781619718 (v3.10): the count that was
-- read first is stored.
-- Had it: the posting; here it is the design of v3.10 to v3.18 without the fix.  Hint: rmdir
-- takes the cgroup offline itself, as it did then.

local set = { iterator = "dead-count", at_rmdir = true }

return scenario {
  like = require "reclaim.iter",
  upstream = "5f5781619718",

  expect = {
    { "v5.3", variant = { "none", "dead-count-two-reads" }, set = set, finds = "iterator",
      explore = { strategy = "pct", runs = 1000 }, keeps = "dead-count-two-reads" },
    { "v5.3", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
