-- SPDX-License-Identifier: GPL-2.0-only
--
-- The reference trace Z3: a cgroup with an empty child cache is removed.  The worker that kills the
-- child must not wipe out the shutdown that it leads to, however long it takes after the kill.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }

return scenario {
  doc = "reference trace Z3: the end of an empty child cache",
  upstream = "f0a3a24b532d",
  cpus = 2,

  setup = function(sim)
    sim.M = sim:cgroup("M")
    sim.R = sim:cache("R", { object_size = 512, objects_per_slab = 8 })
    sim:create_child(sim.R, sim.M)
  end,

  tasks = {
    task("admin", { cpu = 1 }, function(t, sim)
      t:rmdir(sim.M)
    end),
  },

  expect = {
    { "seed1-v4", variant = { "none", "workfn-clobber" }, finds = "progress", explore = few },
    { "seed1-v4", variant = "none", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = few },
  },
}
