-- SPDX-License-Identifier: GPL-2.0-only
--
-- The reference trace Z2: a root cache is destroyed right after the cgroup of its child has gone
-- offline, while the deactivation of the child waits for a grace period.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }

return scenario {
  doc = "reference trace Z2: destruction of a root cache during a deactivation",
  upstream = "a264df74df38",
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

    task("module", { cpu = 0 }, function(t, sim)
      t:join(sim:task("admin"))
      t:sleep(ms(13)) -- M is offline by then, and the next grace period has not ended
      t:destroy(sim.R)
    end),
  },

  expect = {
    { "v5.3", always = "refcount" },
    { "v5.8", never = "*" },
    { "v5.8", variant = "none", never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v3.15", variant = "none", never = "*", explore = few },
  },
}
