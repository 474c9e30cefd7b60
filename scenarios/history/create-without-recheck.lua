-- SPDX-License-Identifier: GPL-2.0-only
--
-- create-without-recheck: a child is made for a memcg that has gone offline meanwhile.
--
-- Upstream: never.  A creation asks under slab_mutex whether its memcg is still online; offline
-- gives the index back after it has had that mutex, and another memcg may have it by then.
-- Fix: none needed.  This is what happens without the second look.
-- Had it: no lifecycle.  No hint in the scenario.

local blind = { "none", "create-without-recheck" }
local search = { strategy = "pct", runs = 2000 }

return scenario {
  like = require "lifecycle.whole_life",

  expect = {
    { "v5.3", variant = blind, finds = "use-after-free", explore = search,
      keeps = "create-without-recheck" },
    { "v4.0", variant = blind, finds = "use-after-free", explore = search },
    { "v4.18", variant = blind, finds = "use-after-free", explore = search },
    { "v5.3", variant = "none", never = "*", explore = search },
    { "v4.0", variant = "none", never = "*", explore = search },
    { "v4.18", variant = "none", never = "*", explore = search },
  },
}
