-- SPDX-License-Identifier: GPL-2.0-only
--
-- What becomes of a memory cgroup's slab caches when the cgroup is removed while one of its tasks
-- is still allocating, and objects outlive it?  The cgroup must not wait for the objects, and no
-- cache may go before the last object that it serves.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }

return scenario {
  doc = "a cgroup dies: an allocation in flight against its removal, objects that outlive it",
  upstream = "f0a3a24b532d",

  options = {
    objects = { 3, "dentries that outlive the cgroup" },
    rounds = { 3, "allocations and frees while the admin removes the cgroup" },
  },

  setup = function(sim)
    sim.app = sim:cgroup("app")
    sim.box = sim:cgroup("box", sim.app)
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    sim.inode = sim:cache("inode", { object_size = 600, typesafe_by_rcu = true })
    -- Creation is asynchronous: without this the first allocation only queues it.
    sim:create_child(sim.dentry, sim.box)
    sim.ready = sim:event("ready")
  end,

  tasks = {
    task("allocator", { cpu = 0, cgroup = "app/box" }, function(t, sim, opt)
      sim.held = t:alloc_many(sim.dentry, opt.objects)
      t:signal(sim.ready)
      -- From here on the admin may move this task out, and remove the cgroup behind it.
      for _ = 1, opt.rounds do
        local late = t:alloc(sim.dentry)
        local inode = t:alloc(sim.inode)
        t:free(inode)
        t:free(late)
      end
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:wait(sim.ready)
      -- ESRCH if that task has ended by then: in a run that is ordered otherwise, it may.
      t:attach(sim.app, sim:task("allocator"))
      t:rmdir(sim.box)
    end),

    task("reaper", { cpu = 1 }, function(t, sim)
      t:join(sim:task("allocator"))
      t:join(sim:task("admin"))
      -- Long enough for the cgroup to go offline and its caches to be deactivated.
      t:sleep(ms(25))
      t:free_many(sim.held)
      t:sleep(ms(25))
      t:rmdir(sim.app)
      t:destroy(sim.dentry)
      t:destroy(sim.inode)
    end),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", variant = "none", never = "*", order = "random", runs = 20 },
    { "v5.3", variant = "none", never = "*", explore = few },
  },
}
