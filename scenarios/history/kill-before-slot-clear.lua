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

local deep = { strategy = "pct", depth = 5, runs = 50000 }

return scenario {
  like = require "lifecycle.remote_alloc",

  expect = {
    { "v5.3", variant = { "none", "kill-before-slot-clear" }, finds = "use-after-free",
      explore = deep, keeps = "kill-before-slot-clear" },
    { "v5.3", variant = "none", never = "*", explore = deep },
  },
}
