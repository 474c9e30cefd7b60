-- SPDX-License-Identifier: GPL-2.0-only
--
-- Two caches are merged into one.  One of the two is destroyed while a task of a cgroup allocates
-- from the other: its child cache must not notice.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 5000 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "assert",
}

return scenario {
  doc = "an alias is destroyed while the cache that it stands for is in use",

  setup = function(sim)
    sim.first = sim:cache("first", { object_size = 256, merge = true })
    sim.second = sim:cache("second", { object_size = 256, merge = true })
    sim.box = sim:cgroup("box")
    sim:create_child(sim.second, sim.box)
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim)
      t:free(t:alloc(sim.second))
    end),

    task("module", { cpu = 1 }, function(t, sim)
      t:destroy(sim.first)
    end),
  },

  expect = {
    { "v6.12", never = "*", explore = few },
    { "v5.8", never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "v3.19", variant = "none", never = "*", explore = few },
    { "v3.16", variant = "none", never = sound, explore = many },
    { "v3.16", variant = { "none", "children-before-alias-check" },
      finds = { "use-after-free", "shutdown-referenced" }, explore = few },
    { "v3.15", variant = "none", never = sound, explore = many },
    { "v3.15", variant = { "none", "children-before-alias-check" }, finds = "use-after-free",
      explore = many },
  },
}
