-- SPDX-License-Identifier: GPL-2.0-only
--
-- id-css-alloc-failure: the id of a cgroup that never came to be leads to freed memory.
--
-- Upstream: no report is known.  A memcg takes its private id early in its creation.  If what
-- comes after it fails, the memcg is freed and the id was not; whoever has kept the same number
-- from an earlier cgroup finds the freed one.
-- Fix: 7e97de0b033b (v4.19), "memcg: remove memcg_cgroup::id from IDR on mem_cgroup_css_alloc()
-- failure", Kirill Tkhai.
-- Had it: v4.7 to v4.18.  Hint: one allocation may fail.

local kept = { "none", "id-css-alloc-failure" }

return scenario {
  like = require "reclaim.shadow",
  lifecycle = "v4.10",
  upstream = "7e97de0b033b",

  expect = {
    { "v4.10", variant = kept, finds = "use-after-free",
      explore = { strategy = "pct", runs = 2000 }, keeps = "id-css-alloc-failure" },
    { "v4.10", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
