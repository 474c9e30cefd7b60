-- SPDX-License-Identifier: GPL-2.0-only
--
-- A charge hits the limit of a cgroup whose other children have memory: reclaim takes theirs.  Next
-- to it a child goes away while its pages are being taken, and kswapd comes by.  Whatever the
-- order, the charge must succeed, no page be freed twice, and the removed child go with its last
-- page.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 300 }
local any = { strategy = "random", runs = 200 }

-- Without positions that keep memcgs: that is what scenarios/reclaim/iter.lua is about.
local unpinned = { "none" }

return scenario {
  doc = "reclaim at a limit, beside a removal",
  options = {
    iterator = { "", "design of mem_cgroup_iter(); none: the lifecycle's" },
    pages = { 64, "user pages of each child" },
  },
  reclaim = function(opt) return { iterator = opt.iterator } end,

  setup = function(sim, opt, t)
    sim.box = sim:cgroup("box")
    sim.a, sim.b = sim:cgroup("a", sim.box), sim:cgroup("b", sim.box)
    t:charge(sim.a, opt.pages)
    t:charge(sim.b, opt.pages)
    t:set_max(sim.box, 2 * opt.pages)
  end,

  tasks = {
    task("user", { cpu = 0 }, function(t, sim, opt)
      t:assert(t:charge(sim.b, 32), "there was memory to be had, and it was not")
      local left = t:uncharge(sim.b, opt.pages + 32)
      t:assert(left <= opt.pages + 32, "more pages than were charged")
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:rmdir(sim.a)
    end),

    task("kswapd", { cpu = 1 }, function(t, sim, opt)
      t:kswapd(opt.pages)
    end),
  },

  expect = {
    { "v3.19", variant = unpinned, never = "*", explore = few },
    { "v4.0", variant = unpinned, never = "*", explore = few },
    { "v4.18", never = "*", explore = few },
    { "v5.3", never = "*", explore = few },
    { "v5.3", never = "*", explore = any },
    { "v5.10", never = "*", explore = few },
    { "v6.1", never = "*", explore = few },
    { "v6.12", never = "*", explore = few },
  },
}
