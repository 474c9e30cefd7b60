-- SPDX-License-Identifier: GPL-2.0-only
--
-- Two locks, taken by two tasks: can they wait for each other?
-- With `buggy` the second task takes them the other way round. The order alone is a violation of
-- `lock` in every run; in some runs the two also meet, which `progress` reports as a deadlock.

return model {
  doc = "lock order inversion between two tasks",
  options = { buggy = { false, "the second task takes the locks the other way round" } },

  setup = function(sim)
    sim.a, sim.b = sim:mutex("a"), sim:mutex("b")
    sim.moved = sim:cell("moved", 0)
  end,

  tasks = {
    task("mover", function(t, sim)
      t:lock(sim.a)
      t:lock(sim.b)
      t:store(sim.moved, t:load(sim.moved) + 1)
      t:unlock(sim.b)
      t:unlock(sim.a)
    end),
    task("other", function(t, sim, opt)
      local first, second = sim.a, sim.b
      if opt.buggy then first, second = second, first end
      t:lock(first)
      t:lock(second)
      t:store(sim.moved, t:load(sim.moved) + 1)
      t:unlock(second)
      t:unlock(first)
    end),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", never = "*", explore = { strategy = "dpor" } },
    { "v5.3", set = { buggy = true }, always = "lock", order = "random", runs = 20 },
    { "v5.3", set = { buggy = true }, sometimes = "progress", explore = { strategy = "dpor" } },
  },
}
