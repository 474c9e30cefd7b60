-- SPDX-License-Identifier: GPL-2.0-only
--
-- iter-root-rmdir-loop: a walk over a cgroup that is being removed never comes to its end.
--
-- Upstream: reclaim at the hard limit saw the same cgroup for ever; found by Hugh Dickins.  A
-- walk that stands on its root asks for a reference before it goes on, is refused once the root
-- is being removed, and begins again from the root.
-- Fix: ecc736fc3c71 (v3.14), "memcg: fix endless loop caused by mem_cgroup_iter", Michal Hocko:
-- the root is never asked for.
-- Had it: v3.10 to v3.13, older than the lifecycles; here it is their design.  Hint: the root of
-- the walk is removed as well.

local all = { iterator = "dead-count", removed = "a b c box" }

return scenario {
  like = require "reclaim.iter",
  upstream = "ecc736fc3c71",

  expect = {
    { "v5.3", variant = { "none", "iter-root-rmdir-loop" }, set = all, finds = "iterator",
      explore = { strategy = "pct", runs = 1000 }, keeps = "iter-root-rmdir-loop" },
    { "v5.3", variant = "none", set = all, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
