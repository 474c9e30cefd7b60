-- SPDX-License-Identifier: GPL-2.0-only
--
-- What happens to a memory cgroup's slab caches when the cgroup is removed while one of its tasks
-- is still allocating and objects outlive it?  The cgroup must go at once, each child cache only
-- after the last object that it serves.

return scenario {
  doc = "a small tree dies: allocation in flight against removal, objects outlive the cgroup",
  upstream = "f0a3a24b532d",

  options = {
    objects = { 3, "dentries that outlive the cgroup" },
  },

  setup = function(sim)
    sim.app = sim:cgroup("app")
    sim.box = sim:cgroup("box", sim.app)
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    sim.inode = sim:cache("inode", { object_size = 600, typesafe_by_rcu = true })
    -- Creation is asynchronous: without this the first allocation only queues it.
    sim:create_child(sim.dentry, sim.box)
    sim.kept = {}
    sim.ready = sim:event("ready")
  end,

  tasks = {
    task("allocator", { cpu = 0, cgroup = "app/box" }, function(t, sim, opt)
      sim.kept = t:alloc_many(sim.dentry, opt.objects)
      local inode = t:alloc(sim.inode) -- the child of this cache is created meanwhile
      t:signal(sim.ready)
      t:attach(sim.app)
      local late = t:alloc(sim.dentry)
      t:free(late)
      t:free(inode)
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:wait(sim.ready)
      -- The allocator may still be in there, on its way to the parent.
      local ok, err = t:rmdir(sim.box)
      while not ok do
        t:log("box is busy: " .. err)
        t:sleep(us(5))
        ok, err = t:rmdir(sim.box)
      end
    end),

    task("reaper", { cpu = 1 }, function(t, sim)
      t:wait(sim.ready)
      t:sleep(ms(25))
      t:free_many(sim.kept)
      t:sleep(ms(25))
      t:rmdir(sim.app)
      t:destroy(sim.dentry)
      t:destroy(sim.inode)
    end),
  },

  expect = {
    { "v5.3", "shutdown-referenced", "never" },
    { "v5.3", "use-after-free", "never" },
  },
}
