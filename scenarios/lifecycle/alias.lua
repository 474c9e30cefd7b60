-- SPDX-License-Identifier: GPL-2.0-only
--
-- Two caches of the same size are merged into one, and one of the two is destroyed.
-- The other one is alive: its children must still be created, deactivated and freed with their
-- cgroups.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local any = { strategy = "random", runs = 500 }

return scenario {
  doc = "destroying one of two merged caches must not touch the other",

  options = { ordered = { true, "the other one is used once the alias is gone" } },

  setup = function(sim)
    sim.first = sim:cache("first", { object_size = 256, merge = true })
    sim.second = sim:cache("second", { object_size = 256, merge = true })
    sim.box = sim:cgroup("box")
  end,

  tasks = {
    task("module", { cpu = 0 }, function(t, sim)
      t:destroy(sim.first)
    end),

    task("user", { cpu = 0, cgroup = "box" }, function(t, sim, opt)
      if opt.ordered then t:join(sim:task("module")) end
      t:free(t:alloc(sim.second))
      t:sleep(us(200))
      t:free(t:alloc(sim.second))
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:join(sim:task("user"))
      t:rmdir(sim.box)
    end),
  },

  expect = {
    { "v5.3", variant = "-dying-on-alias", never = "*" },
    { "v5.3", finds = "leak" },
    { "v5.3", never = "*", variant = "none", order = "random", runs = 20 },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.8", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = any },
    { "v5.3", variant = { "none", "dying-on-alias" }, finds = "leak", explore = few },
    { "v5.3", variant = { "none", "get-cache-rcu-typo" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "release-lock-irq" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "workfn-clobber" }, finds = "progress", explore = few },
    { "seed1-v4", finds = "*", explore = few },
    { "v4.18", never = "*" },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.11", variant = "none", never = "*", explore = few },
    { "v4.10", variant = "none", never = "*", explore = few },
    { "v4.7", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
  },
}
