-- SPDX-License-Identifier: GPL-2.0-only
--
-- The reference trace Z5: an item is deleted while its memcg goes offline, when it is the parent's
-- already by its memcg and M's still by its list.  The parent's counter goes below zero for a
-- moment, and the items that come with M's own counter make it right again.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 2000 }

return scenario {
  doc = "reference trace Z5: deletion of an item between two steps of an offline",
  upstream = "8199be001a47",
  cpus = 2,
  reclaim = true,

  setup = function(sim, _, t)
    sim.P = sim:cgroup("P")
    sim.M = sim:cgroup("M", sim.P)
    sim.ext4 = sim:fs("ext4")
    sim:create_child(sim.ext4, sim.M)
    t:attach(sim.M)
    t:lookup_many(sim.ext4, "x", 2)
    t:attach(sim.root)
  end,

  tasks = {
    task("user", { cpu = 0 }, function(t, sim)
      t:invalidate(sim.ext4, "x.1")
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:rmdir(sim.M)
    end),
  },

  expect = {
    { "v5.3", variant = { "none", "shrinker-bit-needs-zero" }, finds = "list-lru", explore = few },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "v6.12", variant = "none", never = "*", explore = few },
  },
}
