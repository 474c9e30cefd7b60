-- SPDX-License-Identifier: GPL-2.0-only
--
-- New cgroups need indices beyond the root caches' arrays, which are replaced by larger ones, while
-- a task allocates and has its cgroup's child cache created.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 10000 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "slot",
}

return scenario {
  doc = "arrays of children grow under lookups and creations",
  options = { cgroups = { 5, "new cgroups" } },

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim)
      for _ = 1, 3 do t:free(t:alloc(sim.dentry)) end
    end),

    task("launcher", { cpu = 1 }, function(t, _, opt)
      for i = 1, opt.cgroups do t:mkdir("job" .. i) end
    end),
  },

  expect = {
    { "v5.8", never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "v3.19", variant = "none", never = "*", explore = many },
    { "v3.19", variant = { "none", "array-free-no-rcu" }, finds = "use-after-free",
      explore = many },
    { "v3.19", variant = { "none", "array-freed-at-once" }, finds = "use-after-free",
      explore = many },
    { "v3.19", variant = { "none", "array-no-section" }, finds = "use-after-free",
      explore = many },
    { "v3.15", variant = "none", never = sound, explore = many },
    { "v3.15", variant = { "none", "array-free-no-rcu" }, finds = "use-after-free",
      explore = many },
    { "v3.15", variant = { "none", "array-freed-at-once" }, finds = "use-after-free",
      explore = many },
    { "v3.15", variant = { "none", "array-no-section" }, finds = "use-after-free",
      explore = many },
    { "v3.15", variant = { "none", "array-relocate-lost" }, finds = "slot", explore = many },
    { "v3.16", variant = { "none", "array-relocate-lost" }, finds = "slot", explore = many },
  },
}
