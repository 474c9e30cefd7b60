-- SPDX-License-Identifier: GPL-2.0-only
--
-- dead-count-offline: a walk stands on a cgroup whose end was counted before.
--
-- Upstream: a posting of 2014-07-28 let walks take references on offline memcgs too.  The count
-- that makes positions valid goes up at offline; who comes to stand on an offline memcg after
-- that is not told when it is freed.
-- Fix: not merged; 5ac8fb31ad2e (v3.19) came instead.
-- Had it: the posting; here it is the design of v3.10 to v3.18 with it.  No hint in the scenario.

local set = { iterator = "dead-count" }

return scenario {
  like = require "reclaim.iter",
  upstream = "5ac8fb31ad2e",

  expect = {
    { "v5.3", variant = { "none", "dead-count-offline" }, set = set, finds = "iterator",
      explore = { strategy = "pct", runs = 1000 }, keeps = "dead-count-offline" },
    { "v5.3", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
