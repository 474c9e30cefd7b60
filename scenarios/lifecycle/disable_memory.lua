-- SPDX-License-Identifier: GPL-2.0-only
--
-- The memory controller of a cgroup is disabled while the type of the cgroup changes and one of its
-- tasks ends.  The memcg must go offline once, and the task must end.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 5000 }

return scenario {
  doc = "disabling the memory controller of a cgroup that stays",
  cpus = 3,

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim)
      local object = t:alloc(sim.dentry)
      if object then t:free(object) end
      t:exit_accounting()
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:disable_memory(sim.box)
    end),

    task("manager", { cpu = 2 }, function(t, sim)
      t:enable_threaded(sim.box)
    end),
  },

  expect = {
    { "v6.12", never = "*", explore = many },
    { "v6.1", variant = "none", never = "*", explore = few },
    { "v5.8", never = "*", explore = many },
    { "v5.8", variant = "css-double-kill", finds = "refcount", explore = many },
    { "v5.3", finds = "refcount", explore = many },
    { "v5.3", variant = "none", never = "*", explore = many },
    { "v5.3", variant = { "none", "css-double-kill" }, finds = "refcount", explore = many },
    { "v4.18", variant = "none", never = "*", explore = many },
    { "v4.18", variant = { "none", "task-get-css-spin" }, finds = "progress", explore = many },
    { "v4.11", finds = "progress", explore = many },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "v3.19", variant = "none", never = "*", explore = few },
  },
}
