-- SPDX-License-Identifier: GPL-2.0-only
--
-- Page cache of a cgroup was dropped and is read again when the cgroup is gone.  What the shadow
-- entry has kept is the cgroup's id, without a reference: by now it may name another cgroup, or
-- nobody.  Can it ever lead to memory that is freed?  Creations may fail half-way.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 2000 }
local any = { strategy = "random", runs = 2000 }

return scenario {
  doc = "refaults through a stale id against cgroups that come, go and fail to come",
  lifecycle = "v4.10",
  faults = 1,

  setup = function(sim, _, t)
    local gone = sim:cgroup("gone")
    t:charge(gone, 1)
    sim.shadow = t:evict(gone, 1)
    t:rmdir(gone)
  end,

  tasks = {
    task("admin", { cpu = 0 }, function(t, sim)
      for i = 1, 2 do
        local next = t:mkdir("next" .. i)
        if next then t:rmdir(next) end
      end
    end),

    task("reader", { cpu = 1 }, function(t, sim)
      for _ = 1, 3 do t:refault(sim.shadow) end
    end),
  },

  expect = {
    { "v4.10", finds = "use-after-free", explore = few },
    { "v4.10", variant = { "none", "id-css-alloc-failure" }, finds = "use-after-free",
      explore = few },
    { "v5.3", variant = { "none", "id-published-early" }, finds = "use-after-free", explore = any },
    { "v6.1", variant = { "none", "id-published-early" }, finds = "use-after-free", explore = any },
    { "v4.10", variant = "none", never = "*", explore = few },
    { "v4.10", variant = "none", never = "*", explore = any },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = any },
    { "v6.12", variant = "none", never = "*", explore = few },
    { "v6.12", variant = "none", never = "*", explore = any },
  },
}
