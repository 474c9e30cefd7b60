-- SPDX-License-Identifier: GPL-2.0-only
--
-- Each of two tasks writes its own flag and then reads the other's: can both read the old value?
-- Accesses are sequentially consistent here, so no: at least one of the writes comes first. With
-- `buggy` the tasks read before they write, and both can enter.

local function contender(own, other)
  return function(t, sim, opt)
    local busy
    if opt.buggy then
      busy = t:read_once(sim[other])
      t:write_once(sim[own], true)
    else
      t:write_once(sim[own], true)
      busy = t:read_once(sim[other])
    end
    if not busy then
      t:assert(t:atomic_add(sim.inside, 1) == 1, "both tasks are inside")
    end
  end
end

return model {
  doc = "mutual exclusion by two flags (the litmus test SB)",
  options = { buggy = { false, "read the other's flag before setting one's own" } },

  setup = function(sim)
    sim.x, sim.y = sim:cell("x", false), sim:cell("y", false)
    sim.inside = sim:cell("inside", 0)
  end,

  tasks = {
    task("left", contender("x", "y")),
    task("right", contender("y", "x")),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", golden = "store_buffer.trace.jsonl" },
    { "v5.3", never = "*", explore = { strategy = "dpor" } },
    { "v5.3", set = { buggy = true }, finds = "assert", explore = { strategy = "dpor" } },
    { "v5.3", set = { buggy = true }, finds = "assert",
      explore = { strategy = "pct", runs = 1000 } },
  },
}
