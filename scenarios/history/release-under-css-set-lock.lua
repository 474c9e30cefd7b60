-- SPDX-License-Identifier: GPL-2.0-only
--
-- release-under-css-set-lock: a free takes the lock that the migration of its task holds.
--
-- Upstream: lockdep found a cycle in an mmap test of LTP on s390.  The last reference of an objcg
-- is dropped by whoever makes a stock forget it, whatever he holds; the release took
-- css_set_lock. A signal's record is freed under the signal lock, which a migration takes under
-- css_set_lock.
-- Fix: 0764db9b49c9 (v5.17), "mm: memcg: synchronize objcg lists with a dedicated spinlock",
-- Roman Gushchin: nothing else is taken under it.
-- Had it: v5.9 and v5.10, since bf4f059954dc.  Hint: the object of a removed cgroup is freed by a
-- neighbour.

local shared = { "none", "release-under-css-set-lock" }

return scenario {
  like = require "lifecycle.orphan_objcg",
  upstream = "0764db9b49c9",

  expect = {
    { "v5.10", variant = shared, finds = "lock", explore = { strategy = "pct", runs = 500 },
      keeps = "release-under-css-set-lock" },
    { "v5.9", variant = shared, finds = "lock", explore = { strategy = "pct", runs = 500 } },
    { "v5.10", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
    { "v6.1", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
