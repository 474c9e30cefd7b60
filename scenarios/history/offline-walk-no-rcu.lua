-- SPDX-License-Identifier: GPL-2.0-only
--
-- offline-walk-no-rcu: a cgroup whose creation fails walks over its descendants unprotected.
--
-- Upstream: whoever takes kernel memory offline goes over the memcg and all below it, to give them
-- the parent's index.  cgroup_mutex keeps those where they are, except that a css whose creation
-- has failed goes offline from the free path, without the mutex and outside of any read section.
-- Fix: 3a06bb78ceea (v4.7), "memcg: add RCU locking around css_for_each_descendant_pre() in
-- memcg_offline_kmem()", Tejun Heo.
-- Had it: v4.0.  Hint: one allocation may fail.

local bare = { "none", "offline-walk-no-rcu" }

return scenario {
  like = require "lifecycle.create_failure",
  lifecycle = "v4.0",
  upstream = "3a06bb78ceea",

  expect = {
    { "v4.0", variant = bare, finds = "lock", explore = { strategy = "pct", runs = 5000 },
      keeps = "offline-walk-no-rcu" },
    { "v4.0", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
    { "v4.7", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
