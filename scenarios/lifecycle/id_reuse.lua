-- SPDX-License-Identifier: GPL-2.0-only
--
-- An allocation has read its cgroup's index and not yet the slot.  Its task is moved away, the
-- cgroup is removed, and a new one gets the same index and a child cache in the same slot.
-- The allocation may end up in the other cgroup's cache; whatever it pins, it must give back.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 20000 }
local any = { strategy = "random", runs = 500 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "assert",
}

return scenario {
  doc = "an index that goes to another cgroup under a lookup",

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    sim:create_child(sim.dentry, sim.box)
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim)
      local object = t:alloc(sim.dentry)
      if object then t:free(object) end
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:attach(sim.root, sim:task("user"))
      t:offline(sim.box)
      local other = t:mkdir("other")
      t:create_child(sim.dentry, other)
      t:rmdir(other)
    end),
  },

  expect = {
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = any },
    { "v4.18", variant = "none", finds = "refcount", explore = many },
    { "v4.11", variant = "none", finds = "refcount", explore = many },
    { "v4.0", variant = "none", finds = "refcount", explore = many },
    { "seed2", variant = "none", never = sound, explore = few },
    { "v3.19", variant = "none", never = sound, explore = few },
    { "v3.15", variant = "none", never = sound, explore = few },
    { "v3.16", variant = "none", never = sound, explore = few },
  },
}
