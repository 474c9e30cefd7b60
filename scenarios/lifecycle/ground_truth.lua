-- SPDX-License-Identifier: GPL-2.0-only
--
-- What was measured on real kernels, 6.1 and 6.12: a cgroup, maybe with a child, is removed while
-- objects charged to it are live, or shortly before or after they are freed.  Which steps always
-- come in one order, and which in either?  tests/lifecycle/test_ground_truth.c looks at the traces.

local few = { strategy = "pct", runs = 500 }

return scenario {
  doc = "removal of a cgroup with live objects, the cases of the measurements",
  lifecycle = "v6.12",
  options = {
    objects = { 2, "objects of the cgroup" },
    freed = { "late", "when they are freed: early, race, late, never" },
    nested = { false, "they belong to a child, which is removed first" },
    pinned = { false, "a page of user memory is given back last" },
    poke = { true, "in the end somebody else allocates on every CPU" },
    other = { false, "a second controller's css goes along" },
    names = { 0, "names of a file system that are looked up in the cgroup" },
  },
  perf_event = function(opt) return opt.other end,
  reclaim = function(opt) return opt.names > 0 end,

  setup = function(sim, opt)
    sim.object = sim:cache("object", { object_size = 192 })
    sim.A = sim:cgroup("A")
    sim.B = opt.nested and sim:cgroup("B", sim.A) or sim.A
    sim.other = sim:cgroup("other")
    if opt.names > 0 then sim.ext4 = sim:fs("ext4") end
  end,

  tasks = {
    task("user", { cpu = 0 }, function(t, sim, opt)
      t:attach(sim.B)
      sim.held = t:alloc_many(sim.object, opt.objects)
      if opt.names > 0 then t:lookup_many(sim.ext4, "name", opt.names) end
      if opt.pinned then t:charge(sim.B, 1) end
      if opt.freed == "early" then t:free_many(sim.held) end
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:join(sim:task("user"))
      t:rmdir(sim.B)
      if sim.B ~= sim.A then t:rmdir(sim.A) end
    end),

    task("reaper", { cpu = 0 }, function(t, sim, opt)
      t:join(sim:task("user"))
      if opt.freed ~= "race" then
        t:join(sim:task("admin"))
        t:sleep(ms(100))
      end
      if opt.freed ~= "early" and opt.freed ~= "never" then t:free_many(sim.held) end
      if opt.pinned then t:uncharge(sim.B, 1) end
    end),

    task("poke0", { cpu = 0, cgroup = "other" }, function(t, sim, opt)
      t:join(sim:task("reaper"))
      if opt.poke then t:alloc(sim.object) end
    end),

    task("poke1", { cpu = 1, cgroup = "other" }, function(t, sim, opt)
      t:join(sim:task("reaper"))
      if opt.poke then t:alloc(sim.object) end
    end),
  },

  expect = {
    { "v6.1", variant = "none", never = "*", explore = few },
    { "v6.1", variant = "none", set = { nested = true, freed = "race" }, never = "*",
      explore = few },
    { "v6.12", never = "*", explore = few },
    { "v6.12", set = { nested = true, freed = "race" }, never = "*", explore = few },
    { "v6.12", set = { pinned = true }, never = "*", explore = few },
    { "v6.1", variant = "none", set = { names = 2 }, never = "*", explore = few },
    { "v6.12", variant = "none", set = { names = 2 }, never = "*", explore = few },
    { "v6.1", variant = "none", set = { other = true, nested = true }, never = "*", explore = few },
    { "v6.12", set = { other = true, nested = true }, never = "*", explore = few },
  },
}
