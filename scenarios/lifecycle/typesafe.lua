-- SPDX-License-Identifier: GPL-2.0-only
--
-- The slab pages of a SLAB_TYPESAFE_BY_RCU cache are freed a grace period after they left it.
-- A child cache and its memcg must not go before their pages, whether the cgroup dies first or the
-- root cache.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "assert",
}

return scenario {
  doc = "pages that are still on their way through RCU when their cache is shut down",
  options = {
    objects = { 20, "objects, several pages of them" },
    root_first = { false, "destroy the root cache instead of waiting for the cgroup" },
  },

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.inode = sim:cache("inode", { object_size = 600, typesafe_by_rcu = true })
    sim:create_child(sim.inode, sim.box)
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim, opt)
      sim.held = t:alloc_many(sim.inode, opt.objects)
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:join(sim:task("user"))
      t:rmdir(sim.box)
    end),

    task("reaper", { cpu = 0 }, function(t, sim, opt)
      t:join(sim:task("user"))
      if not opt.root_first then t:sleep(us(t:random(60000))) end
      t:free_many(sim.held)
      if opt.root_first then t:destroy(sim.inode) end
    end),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", variant = { "-refkill-vs-destroy", "-free-slab-memcg" }, set = { root_first = true },
      never = "*" },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v6.1", variant = "none", set = { root_first = true }, never = "*", explore = few },
    { "v6.12", set = { root_first = true }, never = "*", explore = few },
    { "v5.8", never = "*", explore = few },
    { "v5.3", variant = "none", set = { root_first = true }, never = "*", explore = few },
    { "v5.3", variant = { "none", "get-cache-rcu-typo" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "release-lock-irq" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "workfn-clobber" }, finds = "progress", explore = few },
    { "v5.3", variant = { "none", "free-slab-memcg" }, set = { root_first = true },
      finds = "use-after-free", explore = few },
    { "seed1-v4", set = { root_first = true }, finds = "*", explore = few },
    { "v4.18", never = "*" },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.11", variant = "none", never = "*", explore = few },
    { "v4.10", variant = "none", never = "*", explore = few },
    { "v4.7", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "v4.0", variant = { "none", "typesafe-without-barrier" }, set = { root_first = true },
      finds = "use-after-free", explore = few },
    { "v4.11", variant = { "none", "typesafe-without-barrier" }, set = { root_first = true },
      finds = "use-after-free", explore = few },
    { "v4.18", variant = { "none", "typesafe-without-barrier" }, set = { root_first = true },
      finds = "use-after-free", explore = few },
    { "v5.3", variant = { "none", "typesafe-without-barrier" }, set = { root_first = true },
      finds = "use-after-free", explore = few },
    { "v4.18", variant = "none", set = { root_first = true }, never = "*", explore = few },
    { "v4.0", variant = "none", set = { root_first = true }, never = "*", explore = few },
    { "seed2", variant = "none", never = sound, explore = few },
    { "v3.19", variant = "none", never = sound, explore = few },
    { "v3.15", variant = "none", never = sound, explore = few },
    { "v3.16", variant = "none", never = sound, explore = few },
    { "v6.12", variant = "typesafe-without-barrier", set = { root_first = true },
      finds = "use-after-free", explore = few },
    { "v6.1", variant = { "none", "typesafe-without-barrier" }, set = { root_first = true },
      finds = "use-after-free", explore = few },
    { "v3.15", variant = { "none", "typesafe-without-barrier" }, set = { root_first = true },
      finds = "use-after-free", explore = few },
  },
}
