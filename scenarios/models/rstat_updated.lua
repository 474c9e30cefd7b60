-- SPDX-License-Identifier: GPL-2.0-only
--
-- A CPU counts and then looks whether its cgroup is on the list of those that a flush has to look
-- at.  A flush takes the cgroup off the list and then reads what was counted.  Can a count be
-- missed until somebody counts again?
--
-- Each side stores and then loads what the other one stores.  Without a barrier between the two a
-- CPU may do the load first, and both see what was before (the litmus test SB).  Accesses here are
-- sequentially consistent, so a missing barrier is a choice: either order.
--
-- Upstream: 9a9e97b2f1f2 (v4.18), Tejun Heo, put both barriers in; d8ef4b38cb69 (v5.7) took them
-- out again, since statistics may be late and the barrier cost 1 % of a fault.

-- @store and @load in this order, or in any without a barrier.
local function ordered(t, barrier, store, load)
  if not barrier and t:choice(2) == 2 then
    local seen = load()
    store()
    return seen
  end
  store()
  return load()
end

local SB = { strategy = "dpor" }

return model {
  doc = "a counter of rstat against its flush, with and without barriers (v-rstat-updated)",
  options = {
    updater = { true, "barrier between counting and looking at the list" },
    flusher = { true, "barrier between taking off the list and reading" },
  },

  setup = function(sim)
    -- Two have been counted, and the cgroup is listed.
    sim.count, sim.listed = sim:cell("count", 2), sim:cell("updated_next", true)
    sim.total = sim:cell("total", 0)
    sim.done = sim:cell("done", 0)
    sim.lock = sim:spinlock("cgroup_rstat_cpu_lock")
  end,

  tasks = {
    task("updater", function(t, sim, opt)
      local listed = ordered(t, opt.updater, function() t:write_once(sim.count, 3) end,
                             function() return t:read_once(sim.listed) end)
      if not listed then
        t:lock(sim.lock)
        t:write_once(sim.listed, true)
        t:unlock(sim.lock)
      end
      t:atomic_add(sim.done, 1)
    end),

    task("flusher", function(t, sim, opt)
      t:lock(sim.lock)
      local n = ordered(t, opt.flusher, function() t:write_once(sim.listed, false) end,
                        function() return t:read_once(sim.count) end)
      t:write_once(sim.total, n)
      t:unlock(sim.lock)
      t:atomic_add(sim.done, 1)
    end),

    task("reader", function(t, sim)
      t:wait_until(sim.done, 2)
      t:assert(t:read_once(sim.listed) or t:read_once(sim.total) == t:read_once(sim.count),
               "counted, and neither flushed nor on the list")
    end),
  },

  expect = {
    { "v5.3", never = "*", explore = SB },
    { "v5.3", set = { updater = false }, finds = "assert", explore = SB },
    { "v5.3", set = { flusher = false }, finds = "assert", explore = SB },
    { "v5.3", set = { updater = false, flusher = false }, finds = "assert", explore = SB },
  },
}
