-- SPDX-License-Identifier: GPL-2.0-only
--
-- Somebody writes to a file of a cache in sysfs while the cache is destroyed, and a CPU goes and
-- comes back.  Removing the file waits for its users, and they want locks.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 5000 }

return scenario {
  doc = "writing an attribute of a cache that is being destroyed",
  cpus = 3,
  options = { hotplug = { true, "a CPU goes and comes back meanwhile" } },

  setup = function(sim)
    sim.dentry = sim:cache("dentry", { object_size = 192 })
  end,

  tasks = {
    task("writer", { cpu = 0 }, function(t, sim)
      t:shrink_all(sim.dentry)
    end),

    task("module", { cpu = 1 }, function(t, sim)
      t:destroy(sim.dentry)
    end),

    task("hotplug", { cpu = 2 }, function(t, sim, opt)
      if opt.hotplug then t:cpu_hotplug() end
    end),
  },

  expect = {
    { "v6.12", never = "*", explore = many },
    { "v6.1", never = "*", explore = many },
    { "v5.10", finds = "progress", explore = many },
    { "v5.10", set = { hotplug = false }, never = "progress", explore = few },
    { "v5.9", variant = "none", never = "*", explore = many },
    { "v5.8", finds = "progress", explore = few },
    { "v5.3", variant = "none", never = "*", explore = many },
    { "v4.18", variant = { "none", "sysfs-active-abba" }, set = { hotplug = false },
      finds = "progress", explore = few },
    { "v4.18", variant = "none", never = "*", explore = many },
    { "v4.11", variant = { "none", "sysfs-active-abba" }, set = { hotplug = false },
      finds = "progress", explore = few },
    { "v4.11", variant = "none", never = "*", explore = many },
    { "v4.0", variant = "none", never = "*", explore = many },
    { "v3.19", variant = "none", never = "*", explore = few },
    { "v3.15", variant = "none", never = "*", explore = few },
  },
}
