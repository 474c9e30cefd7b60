-- SPDX-License-Identifier: GPL-2.0-only
--
-- kill-before-slot-clear: a child is killed while its slot still shows it.
--
-- Upstream: never.  Offline clears the slot, and the counter is killed a grace period later; so a
-- lookup that still found the child is in a read section that the kill's own grace period waits
-- for, and may try to get a reference without asking whether it is alive.
-- Fix: none needed.  This is what happens without that grace period.
-- Had it: no lifecycle.  Hint: an allocation for a cgroup from outside of it, since for tasks of
-- the cgroup its css waits.
-- What it takes: five switches, one of them in the single step between kill and clear.  Hence the
-- depth: with 5, seeds 1 to 3 take 231, 10300 and 26905 executions; with 4, 19011, 20187 and 39763;
-- with 3, none of them does in 60000.  Without --depth one of the three does, and the default
-- strategy, auto, found nothing within 100 s.

local deep = { strategy = "pct", depth = 5, runs = 50000 }

return scenario {
  like = require "lifecycle.remote_alloc",

  expect = {
    { "v5.3", variant = { "none", "kill-before-slot-clear" }, finds = "use-after-free",
      explore = deep, keeps = "kill-before-slot-clear" },
    { "v5.3", variant = "none", never = "*", explore = deep },
  },
}
