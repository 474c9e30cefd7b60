-- SPDX-License-Identifier: GPL-2.0-only
--
-- Memory runs out once while a child cache, a cgroup or an object is being made.
-- Whichever allocation fails, what was taken before it must be given back: the cgroup still goes
-- away completely, and the next attempt works.
--
-- test: --order random --variant -create-work-css-leak
-- test: --variant -create-work-css-leak

return scenario {
  doc = "one allocation fails somewhere in the creation of caches and cgroups",
  faults = 1,
  options = { rounds = { 3, "attempts to allocate" } },

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
  end,

  tasks = {
    task("allocator", { cpu = 0, cgroup = "box" }, function(t, sim, opt)
      for _ = 1, opt.rounds do
        -- The first attempt only queues the creation of the child, and so does one after a failure.
        local object = t:alloc(sim.dentry)
        t:sleep(us(200))
        if object then t:free(object) end
      end
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      local other = t:mkdir("other")
      t:join(sim:task("allocator"))
      if other then t:rmdir(other) end
      t:rmdir(sim.box)
      t:sleep(ms(40))
      t:destroy(sim.dentry)
    end),
  },

  expect = {
    { "v5.3", "leak", "sometimes" },
    { "v5.3+-create-work-css-leak", "leak", "never" },
  },
}
