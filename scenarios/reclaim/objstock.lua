-- SPDX-License-Identifier: GPL-2.0-only
--
-- The last object of a cgroup that is gone is freed, and a CPU's stock keeps its bytes, with the
-- last reference on whoever paid for them.  Then the CPU frees an object of another cgroup, and the
-- stock is emptied.  Elsewhere a charge hits a limit, and all stocks are looked at.  Does whoever
-- looks follow a pointer to nothing, or to freed memory?

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 5000 }
local many = { strategy = "pct", runs = 30000 }
local any = { strategy = "random", runs = 1000 }

return scenario {
  doc = "a CPU's stock of bytes, drained while somebody else looks at it",
  lifecycle = "v5.10",

  setup = function(sim, _, t)
    sim.full = sim:cgroup("full")
    t:set_max(sim.full, 1)
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    sim.left = {}
    for i, name in ipairs { "gone", "other" } do
      local box = sim:cgroup(name)
      t:attach(box)
      sim.left[i] = t:alloc(sim.dentry)
      t:attach(sim.root)
      if name == "gone" then t:rmdir(box) end
    end
  end,

  tasks = {
    task("user", { cpu = 0 }, function(t, sim)
      for _, object in ipairs(sim.left) do t:free(object) end
    end),
    task("charger", { cpu = 1 }, function(t, sim) t:charge(sim.full, 2) end),
  },

  expect = {
    { "v5.10", variant = { "none", "objstock-put-before-clear" }, finds = "use-after-free",
      explore = many },
    { "v5.10", variant = { "none", "objstock-double-read" }, finds = "use-after-free",
      explore = few },
    { "v6.1", variant = { "none", "objstock-double-read" }, finds = "use-after-free",
      explore = few },
    { "v5.9", variant = "none", never = "*", explore = few },
    { "v5.10", variant = "none", never = "*", explore = many },
    { "v5.10", variant = "none", never = "*", explore = any },
    { "v6.1", variant = "none", never = "*", explore = many },
    { "v6.12", never = "*", explore = few },
    { "v6.12", never = "*", explore = any },
  },
}
