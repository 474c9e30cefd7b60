-- SPDX-License-Identifier: GPL-2.0-only
--
-- typesafe-without-barrier: a cache goes while RCU callbacks have yet to free its pages.
--
-- Upstream: never.  The slab pages of a SLAB_TYPESAFE_BY_RCU cache are freed by callbacks, which
-- look at the cache; it is released behind an rcu_barrier(), since v4.11 by a work item.
-- Fix: none needed.  This is what happens without the barrier.
-- Had it: no lifecycle.  Hint: a type-safe cache that is destroyed.

local gone = { "none", "typesafe-without-barrier" }
local root_first = { root_first = true }
local search = { strategy = "pct", runs = 2000 }

return scenario {
  like = require "lifecycle.typesafe",

  expect = {
    { "v5.3", variant = gone, set = root_first, finds = "use-after-free", explore = search,
      keeps = "typesafe-without-barrier" },
    { "v3.15", variant = gone, set = root_first, finds = "use-after-free", explore = search },
    { "v4.18", variant = gone, set = root_first, finds = "use-after-free", explore = search },
    { "v6.12", variant = gone, set = root_first, finds = "use-after-free", explore = search },
    { "v5.3", variant = "none", set = root_first, never = "*", explore = search },
    { "v4.18", variant = "none", set = root_first, never = "*", explore = search },
    { "v6.12", variant = "none", set = root_first, never = "*", explore = search },
  },
}
