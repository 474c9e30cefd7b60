-- SPDX-License-Identifier: GPL-2.0-only
--
-- What does it cost to resume a task of a script?  Each sleeps an exponential time, again and
-- again.  For bench_lua_tasks, which runs it twice and takes the difference.

return scenario {
  doc = "tasks that sleep",
  cpus = 64,
  options = {
    tasks = { 1000, "sleepers" },
    rounds = { 10, "how often each sleeps" },
  },
  -- Tasks alone are measured.
  costs = { syscall = 0, context_switch = 0, access = 0, atomic = 0, object_init = 0 },

  setup = function(sim)
    -- A prime number of them, so that each task soon goes its own way.
    sim.delays = {}
    for i = 1, 1021 do
      sim.delays[i] = math.floor(-math.log(1 - math.random()) * 1e9)
    end
  end,

  tasks = {
    task("driver", { cpu = 0 }, function(t, sim, opt)
      local delays <const>, rounds <const> = sim.delays, opt.rounds
      local n <const> = #delays
      for first = 1, opt.tasks do
        t:spawn("sleeper", { cpu = first % 64 }, function(self)
          local k = first % n
          for _ = 1, rounds do
            k = k % n + 1
            self:sleep(delays[k])
          end
        end)
      end
    end),
  },
}
