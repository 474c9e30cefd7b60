-- SPDX-License-Identifier: GPL-2.0-only
--
-- Cgroups with a second controller: a parent and a child are removed back to back while a task
-- allocates, and a third cgroup is made for whose csses memory may run out.  Does each css go
-- offline, and let go of its parent and its cgroup, whatever becomes of the other one?

local few = { strategy = "pct", runs = 1000 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "assert",
}

return scenario {
  doc = "removal and failed creation of cgroups that have a perf_event css as well",
  perf_event = true,
  faults = 1,

  setup = function(sim)
    sim.parent = sim:cgroup("parent")
    sim.child = sim:cgroup("child", sim.parent)
    sim.dentry = sim:cache("dentry", { object_size = 192 })
  end,

  tasks = {
    task("user", { cpu = 0 }, function(t, sim)
      t:attach(sim.child)
      local obj = t:alloc(sim.dentry)
      t:attach(sim.root)
      if obj then t:free(obj) end
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:join(sim:task("user"))
      t:rmdir(sim.child)
      t:rmdir(sim.parent)
    end),

    task("maker", { cpu = 0 }, function(t, sim)
      local third = t:mkdir("third")
      if third then t:rmdir(third) end
    end),
  },

  expect = {
    { "v3.15", variant = "none", never = sound, explore = few },
    { "v3.19", variant = "none", never = sound, explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v6.1", variant = "none", never = "*", explore = few },
    { "v6.12", variant = "none", never = "*", explore = few },
  },
}
