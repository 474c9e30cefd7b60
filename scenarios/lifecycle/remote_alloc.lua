-- SPDX-License-Identifier: GPL-2.0-only
--
-- A task outside of a cgroup allocates on its behalf, as for a notification that the cgroup asked
-- for, while the cgroup is removed.  Unlike its own tasks, nobody waits for this one.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 5000 }

return scenario {
  doc = "an allocation for a cgroup that is being removed",

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.mark = sim:cache("mark", { object_size = 192 })
    sim:create_child(sim.mark, sim.box)
  end,

  tasks = {
    task("notifier", { cpu = 0 }, function(t, sim)
      local mark = t:alloc_for(sim.mark, sim.box)
      if mark then t:free(mark) end
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:rmdir(sim.box)
    end),
  },

  expect = {
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v3.19", variant = "none", never = "*", explore = few },
    { "v6.12", never = "*", explore = many },
    { "v6.1", variant = "none", never = "*", explore = many },
    { "v5.10", variant = "none", never = "*", explore = few },
    { "v5.8", variant = "none", never = "*", explore = many },
    { "v5.3", variant = "none", never = "*",
      explore = { strategy = "pct", depth = 5, runs = 20000 } },
    { "v5.3", variant = { "none", "kill-before-slot-clear" }, finds = "use-after-free",
      explore = { strategy = "pct", depth = 5, runs = 5000 } },
  },
}
