-- SPDX-License-Identifier: GPL-2.0-only
--
-- Two caches are merged into one, and one of the two is destroyed; then a cgroup goes that used the
-- other one and left empty slab pages behind.
-- The children of the live cache must still be shrunk, or those pages keep the cgroup for ever.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local any = { strategy = "random", runs = 500 }

return scenario {
  doc = "empty slab pages of a cgroup whose root cache has lost an alias",

  options = {
    objects = { 64, "objects that are allocated and freed again" },
    ordered = { true, "the cgroup is removed once the alias is gone" },
  },

  setup = function(sim)
    sim.first = sim:cache("first", { object_size = 256, merge = true })
    sim.second = sim:cache("second", { object_size = 256, merge = true })
    sim.box = sim:cgroup("box")
    sim:create_child(sim.second, sim.box)
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim, opt)
      t:free_many(t:alloc_many(sim.second, opt.objects))
    end),

    task("module", { cpu = 0 }, function(t, sim)
      t:destroy(sim.first)
    end),

    task("admin", { cpu = 1 }, function(t, sim, opt)
      t:join(sim:task("user"))
      if opt.ordered then t:join(sim:task("module")) end
      t:rmdir(sim.box)
    end),
  },

  expect = {
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = any },
    { "v4.18", variant = { "none", "dying-on-alias" }, always = "leak", explore = few },
    { "v4.11", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "seed2", variant = "none", always = "leak", explore = few },
    { "v3.19", variant = "none", always = "leak", explore = few },
    { "v3.16", variant = "none", never = "*", explore = few },
    { "v3.15", variant = "none", never = "*", explore = few },
  },
}
