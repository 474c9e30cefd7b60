-- SPDX-License-Identifier: GPL-2.0-only
--
-- The whole life of child caches, with nothing said about orderings: their creation on demand,
-- which may fail once, allocations, the removal of their cgroup while others come and go, and the
-- destruction of the root caches.
-- Every bug of the first posting shows in some ordering of this one scenario.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local any = { strategy = "random", runs = 500 }
-- As somebody does who knows nothing of the bug.
local auto = { max_time = 10 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "assert",
}

return scenario {
  doc = "creation, allocation, offline, shutdown and destruction of child caches",
  faults = 1,
  options = {
    rounds = { 2, "allocations from each cache", least = 1 },
    jobs = { 5, "cgroups that come and go meanwhile", least = 0 },
  },

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    sim.inode = sim:cache("inode", { object_size = 600, typesafe_by_rcu = true })
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim, opt)
      -- The first attempt only queues the creation of the child, and so does one after a failure.
      for _ = 1, opt.rounds do
        local dentry, inode = t:alloc(sim.dentry), t:alloc(sim.inode)
        if inode then t:free(inode) end
        if dentry then t:free(dentry) end
      end
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:join(sim:task("user"))
      t:rmdir(sim.box)
    end),

    task("launcher", { cpu = 1 }, function(t, _, opt)
      for i = 1, opt.jobs do
        local job = t:mkdir("job" .. i)
        if job then t:rmdir(job) end
      end
    end),

    task("module", { cpu = 0 }, function(t, sim)
      t:join(sim:task("admin"))
      t:destroy(sim.dentry)
      t:destroy(sim.inode)
    end),
  },

  expect = {
    { "v5.3", variant = "none", never = "*", order = "random", runs = 20 },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.8", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = any },
    { "v5.3", variant = { "none", "get-cache-rcu-typo" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "get-cache-rcu-typo" }, finds = "progress", explore = few },
    { "v5.3", variant = { "none", "release-lock-irq" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "workfn-write-after-free" }, finds = "use-after-free",
      explore = { strategy = "pct", runs = 10000 } },
    { "v5.3", variant = { "none", "workfn-clobber" }, finds = "progress", explore = few },
    { "v5.3", variant = { "none", "create-work-css-leak" }, finds = "leak", explore = few },
    { "v5.3", variant = { "none", "refkill-vs-destroy" }, finds = "refcount", explore = few },
    { "v5.3", variant = { "none", "free-slab-memcg" }, finds = "use-after-free", explore = few },
    { "v5.9", variant = "none", never = "*", explore = few },
    { "v6.1", variant = "none", never = "*", explore = few },
    { "v6.1", variant = { "none", "objstock-double-read" }, finds = "use-after-free",
      explore = { strategy = "pct", runs = 5000 } },
    { "v6.12", never = "*", explore = few },
    { "seed1-v4", finds = "lock", explore = few },
    { "seed1-v4", variant = { "none", "get-cache-rcu-typo" }, finds = "lock", explore = auto },
    { "seed1-v4", variant = { "none", "release-lock-irq" }, finds = "lock", explore = auto },
    { "seed1-v4", variant = { "none", "workfn-write-after-free" }, finds = "use-after-free",
      explore = auto },
    { "seed1-v4", variant = { "none", "workfn-clobber" }, finds = "progress", explore = auto },
    { "seed1-v4", variant = { "none", "create-work-css-leak" }, finds = "leak", explore = auto },
    { "seed1-v4", variant = { "none", "refkill-vs-destroy" }, finds = "*", explore = auto },
    { "seed1-v4", variant = { "none", "free-slab-memcg" }, finds = "use-after-free",
      explore = auto },
    { "v4.18", never = "*" },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.11", variant = "none", never = "*", explore = few },
    { "v4.10", variant = "none", never = "*", explore = few },
    { "v4.7", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "v4.18", variant = { "none", "destroy-vs-create-deact" }, finds = "use-after-free",
      explore = few },
    { "v4.11", variant = { "none", "destroy-vs-create-deact" }, finds = "use-after-free",
      explore = few },
    { "v4.0", variant = { "none", "destroy-vs-create-deact" }, finds = "use-after-free",
      explore = few },
    { "v4.18", variant = { "none", "create-without-recheck" }, finds = "use-after-free",
      explore = few },
    { "v4.0", variant = { "none", "create-without-recheck" }, finds = "use-after-free",
      explore = few },
    { "v5.3", variant = { "none", "create-without-recheck" }, finds = "use-after-free",
      explore = few },
    { "v4.18", variant = "none", never = "*", explore = any },
    { "v4.0", variant = "none", never = "*", explore = any },
    { "seed2", variant = "none", never = sound, explore = few },
    { "v3.19", variant = "none", never = sound, explore = few },
    { "seed2", variant = { "none", "destroy-vs-create-deact" }, finds = "use-after-free",
      explore = few },
    { "v3.19", variant = { "none", "destroy-vs-create-deact" }, finds = "use-after-free",
      explore = few },
    { "v3.15", variant = "none", never = sound, explore = few },
    { "v3.16", variant = "none", never = sound, explore = few },
    { "v3.15", variant = { "none", "list-before-pointer" }, finds = "use-after-free",
      explore = { strategy = "pct", runs = 5000 } },
    { "v3.15", variant = { "none", "destroy-vs-create-deact" }, finds = "use-after-free",
      explore = few },
    { "v3.16", variant = { "none", "destroy-vs-create-deact" }, finds = "use-after-free",
      explore = few },
    { "v5.10", variant = { "none", "vector-failure-leak" }, finds = "leak", explore = few },
    { "v6.1", variant = { "none", "vector-failure-leak" }, finds = "leak", explore = few },
  },
}
