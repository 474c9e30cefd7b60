-- SPDX-License-Identifier: GPL-2.0-only
--
-- The reference trace Z6: reclaim visits a memcg and breaks off there, so that the position of the
-- walk is on it; the memcg is removed, and nobody walks there again.  A position that holds a
-- reference keeps it for ever; one that does not must be cleared in time.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }

return scenario {
  doc = "reference trace Z6: a walk's position on a memcg that is removed",
  upstream = "6df38689e0e9",
  cpus = 2,
  reclaim = true,

  setup = function(sim)
    sim.M = sim:cgroup("M")
  end,

  tasks = {
    task("reclaimer", { cpu = 0 }, function(t, sim)
      t:iterate(sim.root, { max = 2 })
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:join(sim:task("reclaimer"))
      t:rmdir(sim.M)
    end),
  },

  expect = {
    { "v3.15", never = "*" },
    { "v3.19", always = "leak" },
    { "v3.19", variant = "none", never = "*", explore = few },
    { "v4.0", always = "leak" },
    { "v4.0", variant = { "none", "iter-pins-css" }, finds = "leak", explore = few },
    { "v4.7", never = "*", explore = few },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v6.12", never = "*", explore = few },
  },
}
