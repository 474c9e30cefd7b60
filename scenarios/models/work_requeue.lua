-- SPDX-License-Identifier: GPL-2.0-only
--
-- A work item handles what others hand to it, and everybody queues it after his hand-over. Is
-- anything left behind when queue_work() finds the item pending already?
-- Not if the item takes its load after it has begun: queueing it again makes it run again. With
-- `buggy` it publishes "idle" at its end and others skip queueing it while it is not.

return model {
  doc = "work items that are queued while they run",
  cpus = 4,
  options = { buggy = { false, "others do not queue the item while it says that it is busy" } },

  setup = function(sim, opt)
    sim.load = sim:cell("load", 0)
    sim.handled = sim:cell("handled", 0)
    sim.busy = sim:cell("busy", false)
    sim.wq = sim:workqueue("wq")
    sim.handler = sim:work("handler", function(t)
      t:write_once(sim.busy, true)
      t:atomic_add(sim.handled, t:xchg(sim.load, 0))
      t:write_once(sim.busy, false)
    end)
  end,

  tasks = function(sim, opt)
    local function giver(t)
      t:atomic_add(sim.load, 1)
      if not (opt.buggy and t:read_once(sim.busy)) then t:queue_work_on(3, sim.wq, sim.handler) end
    end
    return {
      task("giver1", giver),
      task("giver2", giver),
      task("waiter", function(t)
        t:join(sim:task("giver1"))
        t:join(sim:task("giver2"))
        t:flush_work(sim.handler)
        t:assert(t:read_once(sim.handled) == 2, "something was handed over and never handled")
      end),
    }
  end,

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", never = "*", explore = { strategy = "dpor" } },
    { "v5.3", set = { buggy = true }, finds = "assert", explore = { strategy = "dpor" } },
    { "v5.3", set = { buggy = true }, finds = "assert",
      explore = { strategy = "pct", runs = 1000 } },
  },
}
