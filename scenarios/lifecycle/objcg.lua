-- SPDX-License-Identifier: GPL-2.0-only
--
-- Two tasks of a cgroup and of its sibling share a slab page; one leaves for the sibling while its
-- cgroup goes away.  Whose are the bytes of the objects, and what is left of the objcg in the
-- stocks of both CPUs?  Every byte must come back, and every objcg go once nothing needs it.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local any = { strategy = "random", runs = 500 }

return scenario {
  doc = "objects, stocks and the removal of their cgroup, from v5.9 on",
  lifecycle = "v5.10",
  options = { objects = { 1, "objects of each task" } },

  setup = function(sim, _, t)
    sim.box = sim:cgroup("box")
    sim.other = sim:cgroup("other")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    -- The page that all share exists, and nothing on it is charged yet.
    sim.early = t:alloc(sim.dentry)
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim, opt)
      local held = t:alloc_many(sim.dentry, opt.objects)
      for _, object in ipairs(held) do t:dequeue_signal(object) end
    end),

    task("neighbour", { cpu = 1, cgroup = "other" }, function(t, sim, opt)
      local held = t:alloc_many(sim.dentry, opt.objects)
      t:memcg_of(sim.early)
      t:free_many(held)
    end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:attach(sim.other, sim:task("user"))
      t:rmdir(sim.box)
    end),
  },

  expect = {
    { "v5.9", variant = "none", never = "*", explore = few },
    { "v5.9", variant = "none", never = "*", explore = any },
    { "v5.9", variant = { "none", "vector-as-memcg" }, finds = "use-after-free", explore = few },
    { "v5.10", never = { "refcount", "leak", "charge", "progress" }, explore = few },
    { "v5.10", variant = "none", set = { objects = 12 }, never = "*", explore = few },
    { "v6.1", variant = "none", never = "*", explore = few },
    { "v6.1", variant = "none", set = { objects = 12 }, never = "*", explore = any },
    { "v6.12", never = "*", explore = few },
    { "v6.12", set = { objects = 12 }, never = "*", explore = few },
    { "v6.12", never = "*", explore = any },
  },
}
