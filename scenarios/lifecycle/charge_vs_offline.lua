-- SPDX-License-Identifier: GPL-2.0-only
--
-- An allocation has found out who pays and is about to charge him when the task is moved away and
-- the cgroup removed.  The charge must go to a memcg that is still there.

-- How many orderings an expectation below is about, drawn anew for each run.
local some = { strategy = "pct", runs = 5000 }

return scenario {
  doc = "one charge in flight against the removal of its cgroup",
  lifecycle = "v5.10",

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim) t:alloc(sim.dentry) end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:attach(sim.root, sim:task("user"))
      t:rmdir(sim.box)
    end),
  },

  expect = {
    { "v5.9", variant = "none", never = "*", explore = some },
    -- Two long stays at the right places: one in tens of thousands of orderings.
    { "v5.9", variant = { "none", "charge-css-resurrect" }, finds = "refcount",
      explore = { strategy = "pct", runs = 200000 } },
    { "v5.10", never = "*", explore = some },
    { "v6.12", never = "*", explore = some },
  },
}
