-- SPDX-License-Identifier: GPL-2.0-only
--
-- A cgroup is removed while objects of it live; they are freed later, and then another cgroup uses
-- the same CPU, so that the spare charges which the first one has there are given back.
-- Only now nothing pins it where slab pages pin the memcg, and its caches go with it; a root cache
-- may be destroyed at the same time.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local any = { strategy = "random", runs = 500 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "assert",
}

return scenario {
  doc = "the last page of a removed cgroup, and what goes with it",
  options = { destroy = { false, "destroy one of the root caches meanwhile" } },

  setup = function(sim)
    sim.box, sim.other = sim:cgroup("box"), sim:cgroup("other")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    sim.inode = sim:cache("inode", { object_size = 600, typesafe_by_rcu = true })
    for _, cache in ipairs { sim.dentry, sim.inode } do
      sim:create_child(cache, sim.box)
      sim:create_child(cache, sim.other)
    end
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim)
      sim.dentries, sim.inodes = t:alloc_many(sim.dentry, 2), t:alloc_many(sim.inode, 10)
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:join(sim:task("user"))
      t:rmdir(sim.box)
      t:sleep(ms(30))
      t:free_many(sim.dentries)
      t:free_many(sim.inodes)
    end),

    task("next", { cpu = 0, cgroup = "other" }, function(t, sim)
      t:join(sim:task("user"))
      t:sleep(ms(60))
      t:free(t:alloc(sim.inode))
    end),

    task("module", { cpu = 1 }, function(t, sim, opt)
      t:join(sim:task("admin"))
      if opt.destroy then t:destroy(sim.dentry) end
    end),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v4.18", never = "*" },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = any },
    { "v4.18", variant = "none", set = { destroy = true }, never = "*", explore = few },
    { "v4.11", variant = "none", never = "*", explore = few },
    { "v4.11", variant = "none", set = { destroy = true }, never = "*", explore = few },
    { "v4.11", set = { destroy = true }, finds = "use-after-free", explore = few },
    { "v4.10", variant = "none", set = { destroy = true }, never = "*", explore = few },
    { "v4.7", variant = "none", set = { destroy = true }, never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", set = { destroy = true }, never = "*", explore = few },
    { "v4.0", variant = "none", set = { destroy = true }, never = "*", explore = any },
    { "seed2", variant = "none", never = sound, explore = few },
    { "v3.19", variant = "none", never = sound, explore = few },
    { "seed2", variant = "none", set = { destroy = true }, never = sound, explore = few },
    { "v3.19", variant = "none", set = { destroy = true }, never = sound, explore = few },
    { "v3.15", variant = "none", never = sound, explore = few },
    { "v3.16", variant = "none", never = sound, explore = few },
    { "v3.15", variant = "none", set = { destroy = true }, never = sound, explore = few },
    { "v3.16", variant = "none", set = { destroy = true }, never = sound, explore = few },
  },
}
