-- SPDX-License-Identifier: GPL-2.0-only
--
-- offline-walk-no-rcu: a css that never came online is taken apart without cgroup_mutex.
--
-- Upstream: no report is known.  memcg_offline_kmem() walks over the descendants of a memcg and
-- relied on cgroup_mutex, which its callers held; but a css whose creation fails is freed by a
-- work item that does not, and it gets there, too.
-- Fix: 3a06bb78ceea (v4.7), "memcg: add RCU locking around css_for_each_descendant_pre() in
-- memcg_offline_kmem()", Tejun Heo: a read section around the walk.
-- Had it: v4.0.  Hint: one allocation fails.

return scenario {
  like = require "lifecycle.create_failure",
  lifecycle = "v4.0",
  upstream = "3a06bb78ceea",

  expect = {
    { "v4.0", variant = { "none", "offline-walk-no-rcu" }, set = { rounds = 1 }, finds = "lock",
      explore = { strategy = "pct", runs = 2000 }, keeps = "offline-walk-no-rcu" },
    { "v4.0", variant = "none", set = { rounds = 1 }, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
    { "v4.7", variant = "none", set = { rounds = 1 }, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
