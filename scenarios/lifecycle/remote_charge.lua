-- SPDX-License-Identifier: GPL-2.0-only
--
-- Tasks on several CPUs charge user pages to a cgroup with a limit, so that each CPU keeps spare
-- charges; then the cgroup is removed while pages are still charged, and others give them back.
-- Once the last page is gone, every counter must be zero and the memcg free.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local any = { strategy = "random", runs = 500 }

return scenario {
  doc = "user pages, per-CPU stocks and a limit against the removal of the cgroup",
  cpus = 4,
  options = {
    limit = { 200, "memory.max of the cgroup, in pages" },
    pages = { 64, "pages that each task wants" },
  },

  setup = function(sim, opt, t)
    sim.box = sim:cgroup("box")
    t:set_max(sim.box, opt.limit)
    sim.charged = {}
  end,

  tasks = function(sim, opt)
    local tasks = {}
    for cpu = 0, 3 do
      tasks[#tasks + 1] = task("charger" .. cpu, { cpu = cpu }, function(t)
        local n = 0
        while n < opt.pages and t:charge(sim.box, 1) do n = n + 1 end
        sim.charged[cpu] = n
      end)
    end

    tasks[#tasks + 1] = task("admin", { cpu = 1 }, function(t)
      for cpu = 0, 3 do t:join(sim:task("charger" .. cpu)) end
      t:rmdir(sim.box)
    end)

    tasks[#tasks + 1] = task("owner", { cpu = 2 }, function(t)
      for cpu = 0, 3 do
        t:join(sim:task("charger" .. cpu))
        t:sleep(ms(t:random(10)))
        if sim.charged[cpu] > 0 then t:uncharge(sim.box, sim.charged[cpu]) end
      end
    end)
    return tasks
  end,

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = any },
    { "v4.18", never = "*" },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.11", variant = "none", never = "*", explore = few },
    { "v4.10", variant = "none", never = "*", explore = few },
    { "v4.7", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
  },
}
