-- SPDX-License-Identifier: GPL-2.0-only
--
-- flush-before-barrier: a destruction waits for works, and then for the callbacks that queue them.
--
-- Upstream: never.  92ee383f6daa (v4.18) marks the root as dying, waits for callbacks and then for
-- works; without any of the three, or in another order, something comes too late for it.
-- Fix: none needed.  Taking away one of the three: destroy-without-dying, destroy-without-barrier,
-- destroy-without-wq-flush.
-- Had it: no lifecycle.  No hint in the scenario.

local search = { strategy = "pct", runs = 10000 }

local function finds(lifecycle, variant, keeps)
  return { lifecycle, variant = { "none", variant }, finds = "use-after-free", explore = search,
    keeps = keeps }
end

return scenario {
  like = require "lifecycle.destroy_with_children",

  expect = {
    finds("v5.3", "flush-before-barrier", "flush-before-barrier"),
    finds("v4.18", "flush-before-barrier"),
    finds("v4.18", "destroy-without-dying"),
    finds("v4.18", "destroy-without-barrier"),
    finds("v4.18", "destroy-without-wq-flush"),
    { "v5.3", variant = "none", never = "*", explore = search },
    { "v4.18", variant = "none", never = "*", explore = search },
  },
}
