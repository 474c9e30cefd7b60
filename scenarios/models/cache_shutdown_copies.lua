-- SPDX-License-Identifier: GPL-2.0-only
--
-- The model of cache_shutdown.lua with allocators that can be exchanged: none has a number, and
-- the grace period does not go through them in order.  It counts those that read when it begins,
-- and waits for them.  Who only differ in which of them did what need not be told apart.

-- How many read: v of them, or, once the grace period has begun, -v - 1 that it still waits for.
local function enter(v) return v >= 0 and v + 1 or v end
local function leave(v) return v >= 0 and v - 1 or v + 1 end
local function leave_uncounted(v) return v end
local function begin_grace_period(v) return -v - 1 end
local NOBODY = -1

local function allocator(t, sim, opt)
  for _ = 1, opt.k do
    local got = false
    local counted = t:update(sim.readers, enter) >= 0
    if t:read_once(sim.entry) then
      t:assert(not t:read_once(sim.freed), "lookup in a freed cache")
      got = t:inc_not_zero(sim.ref)
    end
    t:update(sim.readers, counted and leave or leave_uncounted)
    if got then
      t:assert(not t:read_once(sim.freed), "allocation from a freed cache")
      if t:dec_and_test(sim.ref) then t:write_once(sim.queued, true) end
    end
  end
end

local function offline(t, sim)
  t:write_once(sim.entry, false)
  t:write_once(sim.armed, true)
end

local function rcu_callback(t, sim, opt)
  t:wait_until(sim.armed, true)
  if not opt.hasty then
    t:update(sim.readers, begin_grace_period)
    t:wait_until(sim.readers, NOBODY)
  end
  if t:dec_and_test(sim.ref) then t:write_once(sim.queued, true) end
end

local function worker(t, sim)
  t:wait_until(sim.queued, true)
  t:assert(not t:xchg(sim.freed, true), "the cache is freed twice")
end

return model {
  doc = "shutdown of a cache, with allocators that can be exchanged",
  cpus = function(opt) return opt.n + 3 end,
  options = {
    n = { 2, "allocators", least = 1 },
    k = { 1, "allocations of each", least = 1 },
    hasty = { false, "the grace period waits for nobody" },
  },

  setup = function(sim)
    sim.entry, sim.freed = sim:cell("entry", true), sim:cell("freed", false)
    sim.ref, sim.readers = sim:cell("ref", 1), sim:cell("readers", 0)
    sim.queued, sim.armed = sim:cell("queued", false), sim:cell("armed", false)
  end,

  tasks = function(_, opt)
    return {
      copies(opt.n, function() return { task("alloc", allocator) } end),
      task("offline", offline),
      task("rcu_cb", rcu_callback),
      task("worker", worker),
    }
  end,

  expect = {
    { "v5.3", never = "*", explore = { strategy = "exhaustive" } },
    { "v5.3", set = { n = 4, k = 2 }, never = "*", explore = { strategy = "exhaustive" } },
    { "v5.3", never = "*", explore = { strategy = "dpor" } },
    { "v5.3", set = { hasty = true }, finds = "assert", explore = { strategy = "exhaustive" } },
    { "v5.3", set = { hasty = true }, finds = "assert", explore = { strategy = "dpor" } },
  },
}
