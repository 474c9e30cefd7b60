-- SPDX-License-Identifier: GPL-2.0-only
--
-- Pages of a cgroup go to swap while it is removed, and come back or are dropped later, when others
-- have been created.  A page in swap knows its cgroup by an id only.  Is whoever was charged for it
-- the one who gets the charge back?

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local any = { strategy = "random", runs = 500 }

return scenario {
  doc = "swap-out and swap-in against the removal of the cgroup and the reuse of its id",
  cpus = 3,
  options = { pages = { 3, "pages that go to swap at a time" } },

  setup = function(sim, opt, t)
    sim.app = sim:cgroup("app")
    sim.box = sim:cgroup("box", sim.app)
    t:charge(sim.box, 2 * opt.pages)
    sim.out = {}
  end,

  tasks = {
    task("admin", { cpu = 0 }, function(t, sim)
      t:rmdir(sim.box)
      sim.next = t:mkdir("next", sim.app)
    end),

    task("kswapd", { cpu = 1 }, function(t, sim, opt)
      for i = 1, 2 do sim.out[i] = t:swap_out(sim.box, opt.pages) end
    end),

    task("user", { cpu = 2, cgroup = "app" }, function(t, sim, opt)
      t:join(sim:task("kswapd"))
      if t:choice(2) == 1 then t:join(sim:task("admin")) end
      t:swap_in(sim.out[1])
      for i = 1, 2 do t:swap_free(sim.out[i]) end
    end),
  },

  expect = {
    { "v3.15", variant = "none", never = "*", explore = few },
    { "v3.16", variant = "none", never = "*", explore = few },
    { "v3.19", variant = "none", never = "*", explore = few },
    { "v4.0", never = { "charge", "leak", "refcount", "use-after-free" }, explore = few },
    { "v4.7", finds = "charge", explore = few },
    { "v4.7", variant = "none", never = "*", explore = few },
    { "v4.7", variant = "none", never = "*", explore = any },
    { "v4.10", variant = "none", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.3", variant = { "none", "swapout-offline" }, finds = "charge", explore = few },
    { "v6.12", variant = "none", never = "*", explore = few },
    { "v6.12", variant = { "none", "swapout-offline" }, finds = "charge", explore = few },
  },
}
