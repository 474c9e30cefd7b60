-- SPDX-License-Identifier: GPL-2.0-only
--
-- A task on one CPU charges memory and ends.  Then that CPU goes away: are its spare charges given
-- back, and is what it has counted for memory.stat still counted?

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 300 }

return scenario {
  doc = "spare charges and statistics of a CPU that goes away",
  statistics = true,
  options = { pages = { 5, "user pages" } },

  setup = function(sim)
    sim.app = sim:cgroup("app")
    sim.box = sim:cgroup("box", sim.app)
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    sim:create_child(sim.dentry, sim.box)
  end,

  tasks = {
    task("worker", { cpu = 1, cgroup = "app/box" }, function(t, sim, opt)
      t:charge(sim.box, opt.pages)
      sim.held = t:alloc(sim.dentry) or false
    end),

    task("admin", { cpu = 0 }, function(t, sim, opt)
      t:charge(sim.box, 3)
      t:join(sim:task("worker"))
      t:cpu_dead(1)
      t:uncharge(sim.box, opt.pages + 3)
      if sim.held then t:free(sim.held) end
      t:rmdir(sim.box)
    end),
  },

  expect = {
    { "v4.18", finds = "stat", explore = few },
    { "v5.3", finds = "stat" },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.10", finds = "stat" },
    { "v4.10", variant = "none", never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v5.8", variant = "none", never = "*", explore = few },
    { "v5.10", variant = "none", never = "*", explore = few },
    { "v6.1", variant = "none", never = "*", explore = few },
    { "v6.12", never = "*", explore = few },
  },
}
