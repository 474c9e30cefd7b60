-- SPDX-License-Identifier: GPL-2.0-only
--
-- sysfs-active-abba: a destruction waits for a writer who waits for the destruction's lock.
--
-- Upstream: lockdep cycles, and a hang when an attribute of a cache is written while the cache
-- goes.  Removing a file from sysfs waits for those who use it; the cache's directory was removed
-- under slab_mutex, which the store of an attribute takes to write to the children as well.
-- Fix: 3b7b314053d0 (v4.12), "slub: make sysfs file removal asynchronous", Tejun Heo: by a work
-- item, which brought sysfs-name-reuse.lua.
-- Had it: v4.11.  Its other form is sysfs-active-hotplug.lua.  Hint: somebody writes an
-- attribute.

return scenario {
  like = require "lifecycle.sysfs_store",
  lifecycle = "v4.11",
  upstream = "3b7b314053d0",

  expect = {
    { "v4.11", variant = { "none", "sysfs-active-abba" }, set = { hotplug = false },
      finds = "progress", explore = { strategy = "pct", runs = 500 }, keeps = "sysfs-active-abba" },
    { "v4.11", variant = "none", set = { hotplug = false }, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
