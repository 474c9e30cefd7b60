-- SPDX-License-Identifier: GPL-2.0-only
--
-- A task sleeps until a flag is set: can it miss the wake-up?
-- It may only look at the flag after it has queued itself, as wait_event() does. With `buggy` it
-- looks first and queues then; a wake-up in between finds nobody, and the task sleeps for ever.

return model {
  doc = "a condition that is checked before the task is on the wait queue",
  options = { buggy = { false, "look at the flag before queueing, and not again" } },

  setup = function(sim)
    sim.flag = sim:cell("flag", false)
    sim.queue = sim:waitqueue("queue")
  end,

  tasks = {
    task("sleeper", function(t, sim, opt)
      if opt.buggy then
        if not t:read_once(sim.flag) then
          t:prepare_to_wait(sim.queue)
          t:schedule()
          t:finish_wait(sim.queue)
        end
      else
        t:wait_event(sim.queue, function() return t:read_once(sim.flag) end)
      end
      t:assert(t:read_once(sim.flag), "woken although the flag is not set")
    end),
    task("waker", function(t, sim)
      t:write_once(sim.flag, true)
      t:wake_up(sim.queue)
    end),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", never = "*", explore = { strategy = "dpor" } },
    { "v5.3", set = { buggy = true }, finds = "progress", explore = { strategy = "dpor" } },
    { "v5.3", set = { buggy = true }, finds = "progress",
      explore = { strategy = "pct", runs = 1000 } },
    { "v5.3", replay = "lost_wakeup.sched" },
  },
}
