-- SPDX-License-Identifier: GPL-2.0-only
--
-- workfn-clobber: a worker clears the job that was given to it while it did the one before.
--
-- Upstream: the same store as in workfn-write-after-free.  If the job was the deactivation, it
-- ends in a kill; the counter may reach zero and its release queue the shutdown before the store,
-- which then wipes it out, and the work item calls NULL.  Nobody has reported it: it follows from
-- the code, and a WARN_ON() in the posting asks for that very state.
-- Fix: the same patch, 2019-06-19.
-- Had it: seed1-v4.  No hint in the scenario.

return scenario {
  like = require "lifecycle.offline_vs_alloc",

  expect = {
    { "seed1-v4", variant = { "none", "workfn-clobber" }, finds = "progress",
      explore = { strategy = "pct", runs = 500 }, keeps = "workfn-clobber" },
    { "seed1-v4", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
