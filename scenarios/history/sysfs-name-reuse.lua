-- SPDX-License-Identifier: GPL-2.0-only
--
-- sysfs-name-reuse: a cache cannot be created again because its old name is still there.
--
-- Upstream: kmem_cache_create() failed with a duplicate name in dm-bufio, which had just
-- destroyed a cache of that name.  Since 3b7b314053d0 (v4.12) a work item removes the directory.
-- Fix: d50d82faa0c9 (v4.18), "slub: fix failure when we delete and create a slab cache", Mikulas
-- Patocka: the name goes under slab_mutex, the rest by work.
-- Had it: v4.12 to v4.17, between two of the lifecycles; here it is v4.18 without the fix. No
-- hint in the scenario.

return scenario {
  like = require "lifecycle.name_reuse",
  lifecycle = "v4.18",
  upstream = "d50d82faa0c9",

  expect = {
    { "v4.18", variant = { "none", "sysfs-name-reuse" }, finds = "assert",
      explore = { strategy = "pct", runs = 500 }, keeps = "sysfs-name-reuse" },
    { "v4.18", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
    { "v4.11", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
