-- SPDX-License-Identifier: GPL-2.0-only
--
-- The reference trace Z1: one root cache, one memcg, two allocations, the removal of the memcg, and
-- then the free of the second object.  On v5.3 the memcg must be freed while that object is alive,
-- and the child cache right after its last page.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local any = { strategy = "random", runs = 500 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "assert",
}

return scenario {
  doc = "reference trace Z1: the memcg dies first, its cache with the last page",
  upstream = "f0a3a24b532d",
  cpus = 2,
  options = { shrink = { false, "somebody shrinks every cache in the end" } },

  setup = function(sim)
    sim.M = sim:cgroup("M")
    sim.R = sim:cache("R", { object_size = 512, objects_per_slab = 8 })
  end,

  tasks = {
    task("t", { cpu = 0, cgroup = "M" }, function(t, sim)
      sim.a1 = t:alloc(sim.R) -- finds no child, and has one created
      t:sleep(ms(1))
      sim.a2 = t:alloc(sim.R) -- from the child
    end),

    task("admin", { cpu = 1 }, function(t, sim, opt)
      t:join(sim:task("t"))
      t:rmdir(sim.M)
      t:sleep(ms(100)) -- every grace period and work item of the removal
      t:free(sim.a2)
      if opt.shrink then t:shrink_all(sim.R) end
    end),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", variant = "none", never = "*", explore = few },
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
    -- What is shrunk by hand goes, but not a child that was in use at offline in v3.16, nor one
    -- that was created after it, in either.
    { "v3.15", set = { shrink = true }, never = "*" },
    { "v3.15", variant = "none", set = { shrink = true }, sometimes = "leak", explore = few },
    { "v3.16", set = { shrink = true }, always = "leak" },
    { "v3.16", variant = "none", set = { shrink = true }, sometimes = "leak", explore = few },
    { "v3.19", variant = "none", set = { shrink = true }, never = "*", explore = few },
    { "v5.3", variant = { "none", "charge-sleeps-under-rcu" }, finds = "lock", explore = few },
  },
}
