-- SPDX-License-Identifier: GPL-2.0-only
--
-- A cgroup is removed whose caches have never served an object.  Nothing pins it: it has to go, and
-- its caches with it or before it, and the names of both have to be free again.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }

return scenario {
  doc = "the end of a cgroup with empty caches",

  setup = function(sim)
    sim.M = sim:cgroup("M")
    sim.D = sim:cache("D", { object_size = 192 })
    sim.E = sim:cache("E", { object_size = 600, typesafe_by_rcu = true })
    sim:create_child(sim.D, sim.M)
    sim:create_child(sim.E, sim.M)
  end,

  tasks = {
    task("admin", { cpu = 1 }, function(t, sim)
      t:rmdir(sim.M)
    end),
  },

  expect = {
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.11", variant = "none", never = "*", explore = few },
    { "v4.10", variant = "none", never = "*", explore = few },
    { "v4.7", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "seed2", variant = "none", never = "*", explore = few },
    { "v3.19", variant = "none", never = "*", explore = few },
    { "v3.15", variant = "none", never = "*", explore = few },
    { "v3.16", variant = "none", never = "*", explore = few },
  },
}
