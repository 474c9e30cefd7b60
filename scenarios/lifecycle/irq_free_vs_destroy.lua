-- SPDX-License-Identifier: GPL-2.0-only
--
-- The last object of a dying child cache is freed by an interrupt or an RCU callback, on a CPU
-- whose task is destroying another cache.  The release of the child and the destruction share a
-- lock: may one interrupt the other?

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local any = { strategy = "random", runs = 500 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "assert",
}

return scenario {
  doc = "the last free of a dying cache in interrupt context, another destruction below it",
  options = { in_rcu = { false, "free in an RCU callback instead of a hard interrupt" } },

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    sim.inode = sim:cache("inode", { object_size = 600 })
    sim:create_child(sim.dentry, sim.box)
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim)
      sim.object = t:alloc(sim.dentry)
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:join(sim:task("user"))
      t:rmdir(sim.box)
      -- Until the child is killed and its counter atomic: the next free is the last reference.
      t:sleep(ms(60))
    end),

    task("module", { cpu = 0 }, function(t, sim, opt)
      t:join(sim:task("admin"))
      if opt.in_rcu then
        t:rcu_free(sim.object)
        t:sleep(ms(1))
      else
        t:irq_free(sim.object, 0, ns(t:random(3000)))
      end
      t:destroy(sim.inode)
    end),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", set = { in_rcu = true }, never = "*" },
    { "v5.3", variant = "release-lock-irq", always = "lock" },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.10", variant = "none", never = "*", explore = few },
    { "v6.12", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = any },
    { "v5.3", variant = { "none", "get-cache-rcu-typo" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "release-lock-irq" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "workfn-clobber" }, finds = "progress", explore = few },
    { "seed1-v4", finds = "lock", explore = few },
    { "v4.18", never = "*" },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.11", variant = "none", never = "*", explore = few },
    { "v4.10", variant = "none", never = "*", explore = few },
    { "v4.7", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "seed2", variant = "none", never = sound, explore = few },
    { "v3.19", variant = "none", never = sound, explore = few },
    { "v3.15", variant = "none", never = sound, explore = few },
    { "v3.16", variant = "none", never = sound, explore = few },
  },
}
