-- SPDX-License-Identifier: GPL-2.0-only
--
-- Tasks on two CPUs charge user pages and objects to a cgroup, a few at a time, while somebody reads
-- memory.stat of its parent.  Then it is removed, and what is left of it is freed later.  Does what
-- the parent shows in the end equal what is charged below it?

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 10000 }
local any = { strategy = "random", runs = 500 }

return scenario {
  doc = "counters of memory.stat against CPUs that count, a removal and interrupts that free",
  statistics = true,
  options = {
    pages = { 20, "user pages that each of two tasks charges" },
    faults = { false, "the creation of another cgroup may fail" },
  },
  faults = 1,

  setup = function(sim)
    sim.app = sim:cgroup("app")
    sim.box = sim:cgroup("box", sim.app)
    sim.dentry = sim:cache("dentry", { object_size = 1024, objects_per_slab = 1 })
    sim:create_child(sim.dentry, sim.box)
    sim.charged, sim.held = {}, {}
  end,

  tasks = function(sim, opt)
    local tasks = {}
    for cpu = 0, 1 do
      tasks[#tasks + 1] = task("worker" .. cpu, { cpu = cpu, cgroup = "app/box" }, function(t)
        sim.charged[cpu] = t:charge(sim.box, opt.pages)
        sim.held[cpu] = t:alloc(sim.dentry) or false
        local brief = t:alloc(sim.dentry)
        if brief then t:irq_free(brief) end
        local other = t:alloc(sim.dentry)
        if other then t:free(other) end
        t:attach(sim.root)
      end)
    end

    tasks[#tasks + 1] = task("admin", { cpu = 1 }, function(t)
      if opt.faults then t:mkdir("another", sim.app) end
      for cpu = 0, 1 do t:join(sim:task("worker" .. cpu)) end
      t:rmdir(sim.box)
      for cpu = 0, 1 do
        if sim.charged[cpu] then t:uncharge(sim.box, opt.pages) end
      end
      t:sleep(ms(100)) -- in a timed run, until nothing but objects is left
      for cpu = 0, 1 do
        if sim.held[cpu] then t:free(sim.held[cpu]) end
      end
      t:shrink(sim.dentry)
    end)

    tasks[#tasks + 1] = task("reader", { cpu = 0 }, function(t)
      t:stat(sim.app, "slab")
      t:stat(sim.app, "user")
    end)
    return tasks
  end,

  expect = {
    { "v3.19", variant = "none", never = { "charge", "stat", "use-after-free" }, explore = few },
    { "v4.7", variant = "none", never = "*", explore = few },
    { "v4.7", variant = "none", never = "*", explore = any },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = any },
    { "v5.3", never = "stat" },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = any },
    { "v5.8", variant = "none", never = "*", explore = few },
    { "v5.9", variant = "none", never = "*", explore = few },
    { "v6.1", variant = "none", never = "*", explore = few },
    { "v6.1", variant = "none", never = "*", explore = any },
    { "v6.12", variant = "none", never = "*", explore = few },
    { "v6.12", variant = "none", never = "*", explore = any },
    { "seed1-v4", variant = { "none", "percpu-stats-lost" }, finds = "stat", explore = few },
    { "v5.3", variant = { "none", "percpu-stats-lost" }, finds = "stat", explore = few },
    { "v5.9", variant = { "none", "percpu-stats-lost" }, finds = "stat", explore = few },
    { "v5.3", variant = { "none", "stats-flush-own-cpu" }, finds = "stat", explore = few },
    { "v5.9", variant = { "none", "stats-irqs-on" }, finds = "stat", explore = many },
    { "v6.1", variant = { "none", "stats-irqs-on" }, finds = "stat", explore = many },
    { "v5.3", set = { faults = true }, finds = "use-after-free", explore = few },
    { "v5.3", set = { faults = true }, variant = "none", never = "*", explore = few },
    { "v6.1", set = { faults = true }, variant = "none", never = "*", explore = few },
  },
}
