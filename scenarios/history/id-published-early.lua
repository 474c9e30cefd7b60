-- SPDX-License-Identifier: GPL-2.0-only
--
-- id-published-early: a cgroup is found by its id before it is known that it will come to be.
--
-- Upstream: the private id led to a memcg that was still being made.  Whoever has kept the number
-- from an earlier cgroup finds it and takes a reference; then the creation fails and frees the
-- memcg at once.
-- Fix: 6f0df8e16eb5 (v6.6): the id leads nowhere until the memcg is online.
-- Had it: v4.7 to v6.1.  Hint: one allocation may fail.

local early = { "none", "id-published-early" }

return scenario {
  like = require "reclaim.shadow",
  lifecycle = "v5.3",
  upstream = "6f0df8e16eb5",

  expect = {
    { "v5.3", variant = early, finds = "use-after-free",
      explore = { strategy = "random", runs = 5000 }, keeps = "id-published-early" },
    { "v6.1", variant = early, finds = "use-after-free",
      explore = { strategy = "random", runs = 5000 } },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "random", runs = 5000 } },
    { "v6.12", variant = "none", never = "*", explore = { strategy = "random", runs = 5000 } },
  },
}
