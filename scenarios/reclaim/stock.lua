-- SPDX-License-Identifier: GPL-2.0-only
--
-- Each CPU keeps spare charges of one cgroup.  Cgroups are charged page by page until nothing is
-- spare, and removed; on the same CPU others are charged, and elsewhere somebody has all stocks of a
-- subtree drained.  Does a stock ever name a cgroup that is gone?

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 1000 }
local many = { strategy = "pct", runs = 10000 }
local any = { strategy = "random", runs = 1000 }

return scenario {
  doc = "stocks that name a cgroup they have no page of, against drains for other subtrees",
  options = { pages = { 32, "pages that a cgroup is charged one by one" } },

  setup = function(sim, opt, t)
    sim.box = sim:cgroup("box")
    sim.other = sim:cgroup("other")
    sim.third = sim:cgroup("third")
    local gone = sim:cgroup("gone")
    for _ = 1, opt.pages do t:charge(gone, 1) end
    t:uncharge(gone, opt.pages)
    t:rmdir(gone)
  end,

  tasks = {
    task("charger", { cpu = 0 }, function(t, sim)
      for _, cgroup in ipairs { sim.box, sim.third } do
        t:charge(cgroup, 1)
        t:uncharge(cgroup, 1)
      end
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:charge(sim.other, 1)
      t:uncharge(sim.other, 1)
      t:rmdir(sim.other)
    end),
  },

  expect = {
    { "v5.3", finds = "use-after-free", explore = many },
    { "v5.8", finds = "use-after-free", explore = many },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = any },
    { "v5.8", variant = "none", never = "*", explore = few },
    { "v5.8", variant = "none", never = "*", explore = any },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v5.9", variant = "none", never = "*", explore = few },
    { "v6.12", never = "*", explore = few },
    { "v6.12", never = "*", explore = any },
  },
}
