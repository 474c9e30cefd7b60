-- SPDX-License-Identifier: GPL-2.0-only
--
-- iter-root-css-leak: every walk leaves a reference on its root.
--
-- Upstream: found with iter-root-rmdir-loop.lua.  A walk that came to its root took a reference
-- on it like on the others, and then left it out when it put them.
-- Fix: 0eef615665ed (v3.14), "memcg: fix css reference leak and endless loop in mem_cgroup_iter",
-- Michal Hocko.
-- Had it: v3.10 to v3.13, older than the lifecycles; here it is their design.  Hint: the root of
-- the walk is removed as well.

local all = { iterator = "dead-count", removed = "a b c box" }

return scenario {
  like = require "reclaim.iter",
  upstream = "0eef615665ed",

  expect = {
    { "v5.3", variant = { "none", "iter-root-css-leak" }, set = all, finds = "leak",
      explore = { strategy = "pct", runs = 1000 }, keeps = "iter-root-css-leak" },
    { "v5.3", variant = "none", set = all, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
