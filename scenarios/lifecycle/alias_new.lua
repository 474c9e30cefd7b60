-- SPDX-License-Identifier: GPL-2.0-only
--
-- One module destroys its cache while another one creates an equal cache, which may be merged with
-- it.  Whoever gets a cache can use it until he destroys it himself.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 5000 }
local any = { strategy = "random", runs = 500 }

return scenario {
  doc = "creating a cache that equals one which is being destroyed",

  setup = function(sim)
    sim.cache_options = { object_size = 256, merge = true }
    sim.first = sim:cache("first", sim.cache_options)
    sim.box = sim:cgroup("box")
    sim:create_child(sim.first, sim.box)
  end,

  tasks = {
    task("old", { cpu = 0 }, function(t, sim)
      t:destroy(sim.first)
    end),

    task("new", { cpu = 1 }, function(t, sim)
      local second = t:create_cache("second", sim.cache_options)
      t:free(t:alloc(second))
      t:destroy(second)
    end),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = many },
    { "v4.11", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = many },
    { "seed2", variant = "none", never = "*", explore = many },
    { "seed2", variant = "none", never = "*", explore = any },
    { "v3.19", variant = "none", never = "*", explore = many },
    { "v3.19", variant = "none", never = "*", explore = any },
    { "v3.19", variant = { "none", "alias-resurrect" }, finds = "use-after-free", explore = few },
    { "v3.15", variant = "none", never = "*", explore = many },
    { "v3.16", variant = "none", never = "*", explore = many },
    { "v3.15", variant = "none", never = "*", explore = any },
    { "v3.16", variant = "none", never = "*", explore = any },
    { "v3.15", variant = { "none", "alias-resurrect" }, finds = "use-after-free", explore = few },
    { "v3.16", variant = { "none", "alias-resurrect" }, finds = "use-after-free", explore = few },
  },
}
