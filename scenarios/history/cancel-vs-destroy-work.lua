-- SPDX-License-Identifier: GPL-2.0-only
--
-- cancel-vs-destroy-work: a root's destruction cancels the work item of a child that it has freed.
--
-- Upstream: no report is known; it follows from the code.  kmem_cache_destroy() finds a child in
-- its slot, clears its dead flag and cancels its work item, and holds no lock that the item needs
-- to destroy the child.
-- Fix: the work items went away with the dead flag, in v3.16.
-- Had it: v3.15.  No hint in the scenario.

return scenario {
  like = require "lifecycle.destroy_with_children",
  lifecycle = "v3.15",

  expect = {
    { "v3.15", variant = { "none", "cancel-vs-destroy-work" }, set = { cgroups = 1 },
      finds = "use-after-free", explore = { strategy = "pct", runs = 5000 },
      keeps = "cancel-vs-destroy-work" },
    { "v3.15", variant = "none", set = { cgroups = 1 }, never = "use-after-free",
      explore = { strategy = "pct", runs = 5000 } },
    { "v3.16", variant = "none", set = { cgroups = 1 }, never = "use-after-free",
      explore = { strategy = "pct", runs = 5000 } },
  },
}
