-- SPDX-License-Identifier: GPL-2.0-only
--
-- A cache is created and destroyed before there is any cgroup, as drivers do while a system boots.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }

return scenario {
  doc = "a cache that comes and goes before the first cgroup",

  tasks = {
    task("driver", { cpu = 0 }, function(t)
      local cache = t:create_cache("probe", { object_size = 64 })
      t:free(t:alloc(cache))
      t:destroy(cache)
    end),
  },

  expect = {
    { "v5.8", never = "*", explore = few },
    { "v5.8", variant = "flush-before-queue-exists", finds = "use-after-free", explore = few },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.18", variant = { "none", "flush-before-queue-exists" }, finds = "use-after-free",
      explore = few },
    { "v4.18", variant = { "none", "dying-takes-mutex" }, finds = "progress", explore = few },
    { "v3.15", never = "*", explore = few },
  },
}
