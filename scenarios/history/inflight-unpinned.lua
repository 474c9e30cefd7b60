-- SPDX-License-Identifier: GPL-2.0-only
--
-- inflight-unpinned: a cache goes while an allocation that has looked it up is on its way.
--
-- Upstream: no report is known.  Nothing counts for an allocation between the lookup of the child
-- and the page that it takes from it; the child was believed to live as long as its root.
-- Fix: 8135be5a8012 (v3.19), Vladimir Davydov: an allocation pins the memcg, and so its caches.
-- Had it: v3.15 and v3.16.  Hint: the task is moved away before its cgroup is removed.

local unpinned = { "none", "inflight-unpinned" }

return scenario {
  like = require "lifecycle.offline_vs_alloc",
  lifecycle = "v3.16",
  upstream = "8135be5a8012",

  expect = {
    { "v3.16", variant = unpinned, finds = "use-after-free",
      explore = { strategy = "pct", runs = 5000 }, keeps = "inflight-unpinned" },
    { "v3.15", variant = unpinned, finds = "use-after-free",
      explore = { strategy = "pct", runs = 5000 } },
    { "v3.16", variant = "none", never = "use-after-free",
      explore = { strategy = "pct", runs = 5000 } },
    { "v3.19", variant = "none", never = "use-after-free",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
