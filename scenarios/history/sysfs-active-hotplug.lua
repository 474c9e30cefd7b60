-- SPDX-License-Identifier: GPL-2.0-only
--
-- sysfs-active-abba with three: a writer queues behind a hotplug that waits for the destruction.
--
-- Upstream: lockdep again, four years after d50d82faa0c9 (v4.18) had brought the removal under
-- the locks back.  From v5.9 on the store of an attribute takes only the hotplug lock, for
-- reading, as the destruction does; but a reader queues behind a writer that waits, and the
-- destruction waits for the reader.
-- Fix: 0495e337b703 (v6.0), "mm/slab_common: Deleting kobject in kmem_cache_destroy() without
-- holding slab_mutex/cpu_hotplug_lock", Waiman Long.
-- Had it: v4.18 to v5.10.  Hint: somebody writes an attribute, and a CPU goes and comes back.

local locked = { "none", "sysfs-active-abba" }

return scenario {
  like = require "lifecycle.sysfs_store",
  lifecycle = "v5.10",
  upstream = "0495e337b703",

  expect = {
    { "v5.10", variant = locked, finds = "progress",
      explore = { strategy = "pct", runs = 5000 }, keeps = "sysfs-active-hotplug" },
    -- It takes the third one.
    { "v5.10", variant = locked, set = { hotplug = false }, never = "progress",
      explore = { strategy = "pct", runs = 5000 } },
    { "v5.10", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
    { "v6.1", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
