-- SPDX-License-Identifier: GPL-2.0-only
--
-- shrinker-debugfs-rwsem: an unmount waits for a reader who waits for the unmount's lock.
--
-- Upstream: a hang on unmount while somebody reads in debugfs how much a shrinker has.  Removing
-- a file waits for those who read it; it was removed with shrinker_rwsem held, which the reader
-- takes.
-- Fix: badc28d4924b (v6.2), "mm: shrinkers: fix deadlock in shrinker debugfs", Qi Zheng: it is
-- removed after the lock.
-- Had it: v6.1.  Hint: somebody reads.  The same circle as in sysfs-active-abba.lua, of other
-- things.

local set = { what = "read" }

return scenario {
  like = require "reclaim.umount",
  lifecycle = "v6.1",
  upstream = "badc28d4924b",

  expect = {
    { "v6.1", variant = { "none", "shrinker-debugfs-rwsem" }, set = set, finds = "progress",
      explore = { strategy = "pct", runs = 1000 }, keeps = "shrinker-debugfs-rwsem" },
    { "v6.1", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
    { "v6.12", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
