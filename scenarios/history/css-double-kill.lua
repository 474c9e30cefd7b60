-- SPDX-License-Identifier: GPL-2.0-only
--
-- css-double-kill: a css that is on its way out is killed once more.
--
-- Upstream: warnings about a dying percpu_ref, reported by Christian Brauner and syzbot.  A css
-- whose controller is disabled stays in its place until it has gone offline, which takes a grace
-- period and a work item.  Changing the cgroup's type applies the controllers anew, and met it.
-- Fix: 3bc0bb36fa30 (v5.6), "cgroup: Prevent double killing of css when enabling threaded cgroup",
-- Michal Koutny: the change of the type waits until dying csses have gone.
-- Had it: v4.18, v5.3 (threaded cgroups came with v4.14).  Hint: a controller is disabled and a
-- type changed.

local twice = { "none", "css-double-kill" }

return scenario {
  like = require "lifecycle.disable_memory",
  upstream = "3bc0bb36fa30",

  expect = {
    { "v5.3", variant = twice, finds = "refcount", explore = { strategy = "pct", runs = 1000 },
      keeps = "css-double-kill" },
    { "v4.18", variant = twice, finds = "refcount", explore = { strategy = "pct", runs = 1000 } },
    { "v4.18", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
    { "v5.8", never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
