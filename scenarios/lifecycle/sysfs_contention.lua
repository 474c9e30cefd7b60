-- SPDX-License-Identifier: GPL-2.0-only
--
-- A child cache is shut down while another task creates and removes cgroups.  Both need the mutex
-- of kernfs, so the shutdown may have to wait in the middle; whatever it touches after that must
-- still be there, since its last reference may be dropped by another worker.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 10000 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "assert",
}

return scenario {
  doc = "shutting a cache down while kernfs is busy",
  options = {
    rounds = { 20, "cgroups that the other task creates and removes" },
    pause = { 4000, "at most so many us between two of them" },
  },

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    sim:create_child(sim.dentry, sim.box)
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim)
      t:free(t:alloc(sim.dentry))
    end),

    task("admin", { cpu = 0 }, function(t, sim)
      t:join(sim:task("user"))
      t:rmdir(sim.box)
    end),

    task("launcher", { cpu = 1 }, function(t, sim, opt)
      for i = 1, opt.rounds do
        t:sleep(us(t:random(opt.pause)))
        t:rmdir(t:mkdir("job" .. i))
      end
    end),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", variant = "none", set = { rounds = 4 }, never = "*", explore = few },
    { "v5.3", variant = { "none", "get-cache-rcu-typo" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "release-lock-irq" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "workfn-write-after-free" }, finds = "use-after-free",
      explore = many },
    { "v5.3", variant = { "none", "workfn-clobber" }, finds = "progress", explore = few },
    { "seed1-v4", variant = "-get-cache-rcu-typo", finds = "use-after-free", explore = many },
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
