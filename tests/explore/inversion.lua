-- Two tasks take two locks in either order, as a cell says that a third one writes.
--
-- No state tells in which order locks were taken before: an inversion is one of a run.

local function worker(first, then_)
  return function(t, sim)
    local a, b = first, then_
    if t:read_once(sim.swap) == 1 then a, b = then_, first end
    t:lock(sim.locks[a])
    t:lock(sim.locks[b])
    t:unlock(sim.locks[b])
    t:unlock(sim.locks[a])
  end
end

return model {
  setup = function(sim)
    sim.swap = sim:cell("swap", 0)
    sim.locks = { sim:mutex("one"), sim:mutex("two") }
  end,
  tasks = {
    task("left", worker(1, 2)),
    task("right", worker(1, 2)),
    task("swapper", function(t, sim)
      t:read_once(sim.swap)
      t:read_once(sim.swap)
      t:write_once(sim.swap, 1)
    end),
  },
}
