-- SPDX-License-Identifier: GPL-2.0-only
--
-- destroy-vs-create-deact, its other half: a root cache is destroyed while a creation is queued.
--
-- Upstream and fix: destroy-vs-create-deact.lua.  This half is older than deferred deactivation:
-- the work item that creates a child has a plain pointer to the root since there is one.
-- Had it: every lifecycle up to v4.11.  No hint in the scenario.

local unaware = { "none", "destroy-vs-create-deact" }

return scenario {
  like = require "lifecycle.whole_life",
  lifecycle = "v4.0",
  faults = 0,
  upstream = "92ee383f6daa",

  expect = {
    { "v4.0", variant = unaware, set = { jobs = 0 }, finds = "use-after-free",
      explore = { strategy = "pct", runs = 500 }, keeps = "destroy-vs-create" },
    { "v3.19", variant = unaware, set = { jobs = 0 }, finds = "use-after-free",
      explore = { strategy = "pct", runs = 500 } },
    { "v4.0", variant = "none", set = { jobs = 0 }, never = "*",
      explore = { strategy = "pct", runs = 1000 } },
    { "v4.18", set = { jobs = 0 }, never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
