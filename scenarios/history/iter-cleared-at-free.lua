-- SPDX-License-Identifier: GPL-2.0-only
--
-- iter-cleared-at-free: a position is cleared when readers may hold it already.
--
-- Upstream: never; 6df38689e0e9 (v4.5), Vladimir Davydov, clears positions when a css is released,
-- which is a grace period before its memory goes.  A walk that loaded the position before that is
-- in a read section, and css_tryget() tells it that the cgroup is gone.  Here they are cleared
-- with the free: that grace period began before, and waits for nobody who comes later.
-- Fix: none was needed.
-- Had it: no version.  No hint in the scenario.

local set = { iterator = "weak" }

return scenario {
  like = require "reclaim.iter",
  upstream = "6df38689e0e9",

  expect = {
    { "v5.3", variant = { "none", "iter-cleared-at-free" }, set = set,
      finds = { "refcount", "use-after-free" }, explore = { strategy = "pct", runs = 5000 },
      keeps = "iter-cleared-at-free" },
    { "v5.3", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 5000 } },
    { "v6.12", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
