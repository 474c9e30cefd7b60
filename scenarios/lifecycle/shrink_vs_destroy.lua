-- SPDX-License-Identifier: GPL-2.0-only
--
-- A task is moved away and its cgroup removed while it allocates, so that a CPU may keep an empty
-- page of a child cache that is on its way out.  Somebody shrinks the caches, which frees it, while
-- the root cache is destroyed.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 20000 }

return scenario {
  doc = "the last page of a child cache is freed while its root is destroyed",
  cpus = 3,

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    sim:create_child(sim.dentry, sim.box)
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim)
      t:free(t:alloc(sim.dentry))
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:attach(sim.root, sim:task("user"))
      t:rmdir(sim.box)
    end),

    task("shrinker", { cpu = 2 }, function(t, sim)
      t:join(sim:task("user"))
      t:sleep(ms(20))
      t:shrink_all(sim.dentry)
    end),

    task("module", { cpu = 1 }, function(t, sim)
      t:join(sim:task("user"))
      t:sleep(ms(20))
      t:destroy(sim.dentry)
    end),
  },

  expect = {
    { "v5.8", variant = "none", never = "*", explore = few },
    { "v5.3", variant = { "none", "dying-on-alias" }, never = "*", explore = many },
    { "v5.3", variant = { "none", "dying-on-alias", "dying-unlocked" },
      finds = "shutdown-referenced", explore = many },
  },
}
