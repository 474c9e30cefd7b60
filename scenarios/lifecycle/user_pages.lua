-- SPDX-License-Identifier: GPL-2.0-only
--
-- A cgroup and its child are removed while user memory is charged to both, as the page cache of
-- files that stay.  Before v3.19 offline moves it to the parent; later it keeps the cgroups until
-- somebody frees it.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 5000 }

return scenario {
  doc = "removal of a cgroup and its child with user memory charged",
  options = { freed = { false, "the memory is freed meanwhile" } },

  setup = function(sim)
    sim.A = sim:cgroup("A")
    sim.B = sim:cgroup("B", sim.A)
    sim.charged = sim:event("charged")
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "A/B" }, function(t, sim, opt)
      t:charge(sim.A, 1)
      t:charge(sim.B, 2)
      t:attach(sim.root)
      t:signal(sim.charged)
      if opt.freed then
        t:uncharge(sim.B, 2)
        t:uncharge(sim.A, 1)
      end
    end),

    task("inner", { cpu = 0 }, function(t, sim)
      t:wait(sim.charged)
      t:rmdir(sim.B)
    end),

    task("outer", { cpu = 1 }, function(t, sim)
      t:join(sim:task("inner"))
      t:rmdir(sim.A)
    end),
  },

  expect = {
    { "v6.12", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v4.18", variant = "none", set = { freed = true }, never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "v4.0", variant = { "none", "unordered-offline" }, finds = "use-after-free", explore = few },
    { "v3.19", variant = "none", never = "*", explore = few },
    { "v3.16", variant = "none", never = "*", explore = few },
    { "v3.16", variant = "none", set = { freed = true }, never = "*", explore = many },
    { "v3.15", variant = "none", never = "*", explore = many },
    { "v3.15", variant = "none", set = { freed = true }, never = "*", explore = many },
    { "v3.15", variant = { "none", "offline-parent-first" }, finds = "progress", explore = few },
    { "v3.16", variant = { "none", "offline-parent-first" }, finds = "progress", explore = few },
  },
}
