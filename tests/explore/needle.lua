-- Does one order out of many fail?
--
-- Each task appends its digit to a number, several times.  The one order that
-- fails is the reverse of the one that comes first, deep in the tree.

local function append(digit)
  return function(t, sim, opt)
    for _ = 1, opt.appends do
      t:lock(sim.lock)
      t:write_once(sim.digits, t:read_once(sim.digits) * 4 + digit)
      t:unlock(sim.lock)
    end
    for _ = 1, opt.choices do
      if t:choice(3) == 2 then t:atomic_add(sim.twos, 1) end
    end
    if t:atomic_add(sim.ended, 1) == 3 then
      t:assert(t:read_once(sim.digits) ~= sim.needle, "the needle")
      if opt.choices > 0 then
        t:assert(t:read_once(sim.twos) < 3 * opt.choices, "all the same")
      end
    end
  end
end

return model {
  options = {
    appends = { 1, "digits that each task appends" },
    choices = { 0, "choices that each task makes" },
    needle = { "yes", "is there an order that fails?" },
  },
  setup = function(sim, opt)
    sim.lock, sim.digits = sim:mutex("lock"), sim:cell("digits", 0)
    sim.ended, sim.twos = sim:cell("ended", 0), sim:cell("twos", 0)
    sim.needle = -1
    if opt.needle == "yes" then
      local n = 0
      for _, digit in ipairs { 3, 2, 1 } do
        for _ = 1, opt.appends do n = n * 4 + digit end
      end
      sim.needle = n
    end
  end,
  tasks = { task("one", append(1)), task("two", append(2)), task("three", append(3)) },
}
