-- SPDX-License-Identifier: GPL-2.0-only
--
-- Memory runs out once while a child cache, a cgroup or an object is being made.
-- Whichever allocation fails, what was taken before it must be given back: the cgroup still goes
-- away completely, and the next attempt works.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 10000 }
local any = { strategy = "random", runs = 500 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "assert",
}

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
    { "v5.3", variant = "-create-work-css-leak", never = "*" },
    { "v5.3", variant = "-create-work-css-leak", never = "*", order = "random" },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.10", variant = "none", never = "*", explore = few },
    { "v6.12", never = "*", explore = few },
    { "v5.8", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = any },
    { "v5.3", finds = "leak", explore = few },
    { "v5.3", variant = { "none", "create-work-css-leak" }, sometimes = "leak", explore = few },
    { "v5.3", variant = { "none", "get-cache-rcu-typo" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "release-lock-irq" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "workfn-clobber" }, finds = "progress", explore = few },
    { "v5.3", variant = { "none", "refkill-vs-destroy" }, finds = "refcount", explore = many },
    { "seed1-v4", finds = "leak", explore = few },
    { "v4.18", never = "*" },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.11", variant = "none", never = "*", explore = few },
    { "v4.10", variant = "none", never = "*", explore = few },
    { "v4.7", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "v4.0", variant = { "none", "offline-walk-no-rcu" }, finds = "lock", explore = few },
    { "seed2", variant = "none", never = sound, explore = few },
    { "v3.19", variant = "none", never = sound, explore = few },
    { "v3.15", variant = "none", never = sound, explore = few },
    { "v3.16", variant = "none", never = sound, explore = few },
  },
}
