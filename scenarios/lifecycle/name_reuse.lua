-- SPDX-License-Identifier: GPL-2.0-only
--
-- A cache is destroyed and made again under the same name, as a module does that is loaded again.
-- Nothing else has that name, so the second one must come to be.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local any = { strategy = "random", runs = 500 }

return scenario {
  doc = "destroying a cache and creating it again",

  setup = function(sim)
    sim.cache_options = { object_size = 1024, typesafe_by_rcu = sim.opt.typesafe }
    sim.buffers = sim:cache("buffers", sim.cache_options)
  end,

  options = { typesafe = { false, "slab pages are freed after a grace period" } },

  tasks = {
    task("module", { cpu = 0 }, function(t, sim)
      t:free(t:alloc(sim.buffers))
      t:destroy(sim.buffers)
      local again = t:create_cache("buffers", sim.cache_options)
      t:assert(again, "the name of a destroyed cache is taken")
      if again then t:destroy(again) end
    end),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.18", variant = "none", never = "*", explore = any },
    { "v4.18", variant = "none", set = { typesafe = true }, never = "*", explore = few },
    { "v4.18", variant = { "none", "sysfs-name-reuse" }, sometimes = "assert", explore = few },
    { "v4.11", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", set = { typesafe = true }, never = "*", explore = few },
  },
}
