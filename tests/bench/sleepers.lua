-- SPDX-License-Identifier: GPL-2.0-only
--
-- What does it cost to resume a task of a script?  Each sleeps an exponential time, again and
-- again.  For bench_lua_tasks, which runs it twice and takes the difference.

-- A prime number: with another first delay or another stride, each task goes its own way.
local DELAYS <const> = 1021

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
    -- Twice the same ones, so that a stride may lead past the first half.
    sim.delays = {}
    for i = 1, DELAYS do
      sim.delays[i] = math.floor(-math.log(1 - math.random()) * 1e9)
      sim.delays[i + DELAYS] = sim.delays[i]
    end
  end,

  tasks = {
    task("driver", { cpu = 0 }, function(t, sim, opt)
      local delays <const>, rounds <const> = sim.delays, opt.rounds
      for first = 1, opt.tasks do
        t:spawn("sleeper", { cpu = first % 64 }, function(self)
          local k, stride <const> = first % DELAYS, first // DELAYS + 1
          for _ = 1, rounds do
            k = k % DELAYS + stride
            self:sleep(delays[k])
          end
        end)
      end
    end),
  },
}
