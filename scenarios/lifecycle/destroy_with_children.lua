-- SPDX-License-Identifier: GPL-2.0-only
--
-- A root cache is destroyed right when its children are being deactivated, because their cgroups
-- were removed.  Both sides want to end the same child: it must be shut down once, and only after
-- every reference, work item and grace period that knows it.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 10000 }
local any = { strategy = "random", runs = 500 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "assert",
}

return scenario {
  doc = "kmem_cache_destroy() against the deactivation of the children",
  options = {
    typesafe = { false, "slab pages are freed after a grace period" },
    cgroups = { 2, "cgroups, each with a child cache" },
    pause = { 12, "at most so many ms between the removal and the destruction" },
  },

  setup = function(sim, opt)
    sim.cache_options = { object_size = 192, typesafe_by_rcu = opt.typesafe }
    sim.dentry = sim:cache("dentry", sim.cache_options)
    sim.boxes = {}
    for i = 1, opt.cgroups do
      sim.boxes[i] = sim:cgroup("box" .. i)
      sim:create_child(sim.dentry, sim.boxes[i])
    end
  end,

  tasks = function(sim, opt)
    local tasks = {}
    for i = 1, opt.cgroups do
      tasks[i] = task("user" .. i, { cpu = i % 2, cgroup = "box" .. i }, function(t)
        local held = t:alloc_many(sim.dentry, 3)
        t:sleep(us(t:random(100)))
        t:free_many(held)
      end)
    end

    tasks[#tasks + 1] = task("admin", { cpu = 1 }, function(t)
      for i = 1, opt.cgroups do
        t:join(sim:task("user" .. i))
        t:rmdir(sim.boxes[i])
      end
    end)

    tasks[#tasks + 1] = task("module", { cpu = 0 }, function(t)
      for i = 1, opt.cgroups do t:join(sim:task("user" .. i)) end
      t:sleep(us(t:random(1000 * opt.pause)))
      t:destroy(sim.dentry)
    end)
    return tasks
  end,

  expect = {
    { "v5.3", variant = "-refkill-vs-destroy", never = "*" },
    { "v5.3", variant = { "-refkill-vs-destroy", "-free-slab-memcg" }, set = { typesafe = true },
      never = "*" },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.10", variant = "none", never = "*", explore = few },
    { "v6.12", never = "*", explore = few },
    { "v5.8", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = any },
    { "v5.3", variant = "none", set = { typesafe = true }, never = "*", explore = few },
    { "v5.3", finds = "refcount", explore = many },
    { "v5.3", variant = { "none", "get-cache-rcu-typo" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "release-lock-irq" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "workfn-write-after-free" }, finds = "use-after-free",
      explore = many },
    { "v5.3", variant = { "none", "workfn-clobber" }, finds = "progress", explore = few },
    { "v5.3", variant = { "none", "refkill-vs-destroy" }, finds = "refcount", explore = many },
    { "v5.3", variant = { "none", "free-slab-memcg" }, set = { typesafe = true },
      finds = "use-after-free", explore = few },
    { "seed1-v4", variant = "-get-cache-rcu-typo", finds = "refcount", explore = many },
    { "v4.18", never = "*" },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.11", variant = "none", never = "*", explore = few },
    { "v4.10", variant = "none", never = "*", explore = few },
    { "v4.7", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "v4.18", variant = "none", set = { typesafe = true }, never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = any },
    { "v4.11", variant = "none", never = "*", explore = any },
    { "v4.0", variant = "none", never = "*", explore = any },
    { "v4.11", finds = "use-after-free", explore = many },
    { "v4.18", variant = { "none", "destroy-vs-create-deact" }, finds = "use-after-free",
      explore = many },
    { "v4.18", variant = { "none", "destroy-without-dying" }, finds = "use-after-free",
      explore = many },
    { "v4.18", variant = { "none", "destroy-without-barrier" }, finds = "use-after-free",
      explore = many },
    { "v4.18", variant = { "none", "destroy-without-wq-flush" }, finds = "use-after-free",
      explore = many },
    { "seed2", variant = "none", never = sound, explore = few },
    { "v3.19", variant = "none", never = sound, explore = few },
    { "seed2", variant = "none", set = { typesafe = true }, never = sound, explore = few },
    { "v3.19", variant = "none", set = { typesafe = true }, never = sound, explore = few },
    { "v3.15", variant = "none", never = sound, explore = few },
    { "v3.16", variant = "none", never = sound, explore = few },
    { "v3.15", variant = "none", set = { typesafe = true }, never = sound, explore = few },
    { "v3.16", variant = "none", set = { typesafe = true }, never = sound, explore = few },
    { "v3.15", variant = { "none", "cancel-vs-destroy-work" }, finds = "use-after-free",
      explore = few },
    { "v5.3", variant = { "none", "flush-before-barrier" }, finds = "use-after-free",
      explore = many },
    { "v4.18", variant = { "none", "flush-before-barrier" }, finds = "use-after-free",
      explore = many },
  },
}
