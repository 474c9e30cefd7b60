-- SPDX-License-Identifier: GPL-2.0-only
--
-- Who adds the first item to a list sets a bit, so that reclaim looks at the list.  Reclaim that
-- finds nothing clears the bit and looks once more.  Can there be an item and no bit in the end?
--
-- Both sides need a barrier: the item is there before the bit, and the bit is cleared before the
-- second look.  Accesses here are sequentially consistent, so a missing barrier is a choice: either
-- order.  (scenarios/reclaim/shrinker_bits.lua has the code around it, and leaves the second look
-- out.)
--
-- Upstream: the series of 0a4465d34028 (v4.19), Kirill Tkhai, has had both from the beginning.

local function ordered(t, barrier, first, second)
  if not barrier and t:choice(2) == 2 then
    local seen = second()
    first()
    return seen
  end
  first()
  return second()
end

local ALL = { strategy = "dpor" }

return model {
  doc = "the bit of a list against its first item, with and without barriers",
  options = {
    adder = { true, "barrier between the item and its bit" },
    walker = { true, "barrier between clearing the bit and the second look" },
    again = { true, "there is a second look" },
  },

  setup = function(sim)
    -- There was something, and it is gone.
    sim.items, sim.bit = sim:cell("nr_items", 0), sim:cell("bit", true)
    sim.done = sim:cell("done", 0)
  end,

  tasks = {
    task("adder", function(t, sim, opt)
      ordered(t, opt.adder, function() t:write_once(sim.items, 1) end,
              function() t:write_once(sim.bit, true) end)
      t:atomic_add(sim.done, 1)
    end),

    task("walker", function(t, sim, opt)
      if t:read_once(sim.bit) and t:read_once(sim.items) == 0 then
        local n = ordered(t, opt.walker, function() t:write_once(sim.bit, false) end,
                          function() return opt.again and t:read_once(sim.items) or 0 end)
        if n > 0 then t:write_once(sim.bit, true) end
      end
      t:atomic_add(sim.done, 1)
    end),

    task("reclaim", function(t, sim)
      t:wait_until(sim.done, 2)
      t:assert(t:read_once(sim.items) == 0 or t:read_once(sim.bit),
               "an item that reclaim does not see")
    end),
  },

  expect = {
    { "v5.3", never = "*", explore = ALL },
    { "v5.3", set = { adder = false }, finds = "assert", explore = ALL },
    { "v5.3", set = { walker = false }, finds = "assert", explore = ALL },
    { "v5.3", set = { again = false }, finds = "assert", explore = ALL },
  },
}
