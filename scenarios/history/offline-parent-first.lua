-- SPDX-License-Identifier: GPL-2.0-only
--
-- offline-parent-first: a parent waits for pages of a child that waits for the parent.
--
-- Upstream: removals of cgroups hung in mem_cgroup_reparent_charges().  A memcg that goes offline
-- moved its own user pages away until none was charged to it, with cgroup_mutex held; pages of
-- its children count as well, and although they were removed first they may come to that mutex
-- last, since the kill of a css goes through RCU.
-- Fix: 4fb1a86fb5e4 (v3.14), "memcg: reparent charges of children before processing parent",
-- Filipe Brandenburger: the pages of all descendants are moved.
-- Had it: kernels before v3.14, older than every lifecycle; here it is v3.15 and v3.16 without
-- the fix.  Hint: a cgroup in a cgroup, with user memory.

local own = { "none", "offline-parent-first" }

return scenario {
  like = require "lifecycle.user_pages",
  lifecycle = "v3.15",
  upstream = "4fb1a86fb5e4",

  expect = {
    { "v3.15", variant = own, finds = "progress", explore = { strategy = "pct", runs = 500 },
      keeps = "offline-parent-first" },
    { "v3.16", variant = own, finds = "progress", explore = { strategy = "pct", runs = 500 } },
    { "v3.15", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
    { "v3.16", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
