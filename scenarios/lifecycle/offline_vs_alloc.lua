-- SPDX-License-Identifier: GPL-2.0-only
--
-- An allocation picks its memcg's cache while the memcg goes offline.
-- Whoever wins, the cache must outlive the last object charged to it.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local any = { strategy = "random", runs = 500 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "assert",
}

return scenario {
  doc = "an allocation in flight against the removal of its cgroup",
  upstream = "f0a3a24b532d",
  options = { objects = { 1, "objects held across the offline" } },

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    -- Creation is asynchronous: without this the first allocation only queues it.
    sim:create_child(sim.dentry, sim.box)
  end,

  tasks = {
    task("allocator", { cpu = 0, cgroup = "box" }, function(t, sim, opt)
      local held = t:alloc_many(sim.dentry, opt.objects)
      t:sleep(us(50))
      t:free_many(held)
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:attach(sim.root, sim:task("allocator"))
      t:offline(sim.box)
    end),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", variant = "get-cache-rcu-typo", always = "lock" },
    { "seed1-v4", always = "lock" },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.10", variant = "none", never = "*", explore = few },
    { "v6.12", never = "*", explore = few },
    { "v5.8", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = any },
    { "v5.3", never = { "shutdown-referenced", "use-after-free", "refcount" }, explore = few },
    { "v5.3", variant = { "none", "get-cache-rcu-typo" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "get-cache-rcu-typo" }, finds = "progress", explore = few },
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
    { "v3.15", variant = { "none", "inflight-unpinned" }, finds = "use-after-free",
      explore = few },
    { "v3.16", variant = { "none", "inflight-unpinned" }, finds = "use-after-free",
      explore = few },
  },
}
