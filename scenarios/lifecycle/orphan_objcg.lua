-- SPDX-License-Identifier: GPL-2.0-only
--
-- A cgroup is gone, its object lives.  Freeing that object leaves the objcg with the CPU's stock,
-- and the next charge or free for somebody else puts it: whatever that context holds at the time.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local any = { strategy = "random", runs = 500 }

return scenario {
  doc = "the last reference of an objcg is dropped by somebody who never heard of it",
  lifecycle = "v5.10",

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.other = sim:cgroup("other")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim) sim.left = t:alloc(sim.dentry) end),

    task("admin", { cpu = 1 }, function(t, sim)
      t:join(sim:task("user"))
      t:rmdir(sim.box)
      t:sleep(ms(60)) -- in a timed run, until everything but the object is gone
    end),

    task("neighbour", { cpu = 0 }, function(t, sim)
      t:join(sim:task("admin"))
      t:attach(sim.other)
      local record = t:alloc(sim.dentry)
      t:free(sim.left)
      t:dequeue_signal(record)
    end),
  },

  expect = {
    { "v5.9", variant = "none", never = "*" },
    { "v5.9", variant = "none", never = "*", explore = few },
    { "v5.9", variant = { "none", "release-under-css-set-lock" }, finds = "lock", explore = few },
    { "v5.10", finds = "lock", explore = few },
    { "v6.1", never = "lock", explore = few },
    { "v6.12", never = "*", explore = few },
    { "v6.12", never = "*", explore = any },
  },
}
