-- SPDX-License-Identifier: GPL-2.0-only
--
-- Two tasks need two locks, take them in opposite order, and let go of the first when they cannot
-- get the second. Can they go round for ever?
-- Not while each of them only waits for the other to step: whoever goes on alone gets both. With
-- `buggy`, a task that has seen the other one's claim gives way for good to it, and when both have,
-- neither takes the locks any more.

local function mover(own, other, first, second)
  return function(t, sim, opt)
    t:write_once(sim[own], true)
    while true do
      if t:trylock(sim[first]) then
        if t:trylock(sim[second]) then break end
        t:unlock(sim[first])
      end
      -- After you.
      while opt.buggy and t:read_once(sim[other]) do end
    end
    t:atomic_add(sim.moved, 1)
    t:unlock(sim[second])
    t:unlock(sim[first])
    t:write_once(sim[own], false)
  end
end

return model {
  doc = "two locks, trylock and backing off",
  options = { buggy = { false, "back off until the other one claims nothing any more" } },

  setup = function(sim)
    sim.a, sim.b = sim:mutex("a"), sim:mutex("b")
    sim.left, sim.right = sim:cell("left", false), sim:cell("right", false)
    sim.moved = sim:cell("moved", 0)
  end,

  tasks = {
    task("left", mover("left", "right", "a", "b")),
    task("right", mover("right", "left", "b", "a")),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", never = "*", explore = { strategy = "exhaustive" } },
    { "v5.3", never = "*", explore = { strategy = "bounded", preemptions = 4 } },
    { "v5.3", set = { buggy = true }, finds = "progress", explore = { strategy = "exhaustive" } },
    { "v5.3", set = { buggy = true }, finds = "progress",
      explore = { strategy = "pct", runs = 20000 } },
    { "v5.3", set = { buggy = true }, finds = "progress", explore = { max_time = 10 } },
  },
}
