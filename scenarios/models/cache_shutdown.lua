-- SPDX-License-Identifier: GPL-2.0-only
--
-- A cache is shut down while allocations are in flight: who may still find it, and who frees it?
-- Allocators look it up under a read-side lock of their own and pin it; a grace period takes and
-- drops each of these locks before the base reference goes.  Whoever drops the last reference
-- queues the worker that frees the cache, once.
--
-- The references are counted in a cell, of which a search knows no more than that it is read
-- and written; with refcount=true in a refcount, whose gets and puts mostly need no order.

-- What inc_not_zero does in one step, in as many as its loop takes.
local function tryget_in_steps(lost)
  return function(t, ref)
    local count = t:read_once(ref)
    while count > 0 do
      local found = t:cmpxchg(ref, count, count + 1)
      if found == count then return true end
      lost(t)
      count = found
    end
    return false
  end
end

local function allocator(i)
  return function(t, sim, opt)
    for k = 1, opt.k do
      local got = false
      t:lock(sim.rl[i])
      if t:read_once(sim.entry) then
        t:assert(not t:read_once(sim.freed), "lookup in a freed cache")
        if opt.bug == 1 then
          sim.get(t, sim.ref, 1)
          got = true
        else
          got = sim.tryget(t, sim.ref)
        end
      end
      t:unlock(sim.rl[i])
      if got then
        t:assert(not t:read_once(sim.freed), "allocation from a freed cache")
        if sim.put(t, sim.ref) then
          t:write_once(sim.queued, true)
        end
      end
      if opt.bug == 3 and i == opt.n then
        t:atomic_inc(sim.finished)
      end
    end
  end
end

local function offline(t, sim)
  t:write_once(sim.entry, false)
  t:write_once(sim.armed, true)
end

local function rcu_callback(t, sim, opt)
  t:wait_until(sim.armed, true)
  if opt.bug == 0 or opt.bug == 3 then
    for i = 1, opt.n do
      if opt.bug == 0 or i < opt.n or t:read_once(sim.finished) ~= opt.k - 1 then
        t:lock(sim.rl[i])
        t:unlock(sim.rl[i])
      end
    end
  end
  if sim.put(t, sim.ref) then
    t:write_once(sim.queued, true)
  end
end

local function worker(t, sim)
  t:wait_until(sim.queued, true)
  t:assert(not t:xchg(sim.freed, true), "the cache is freed twice")
end

return model {
  doc = "shutdown of a cache against allocations in flight",
  cpus = function(opt) return opt.n + 3 end,
  options = {
    n = { 2, "allocators", least = 1 },
    k = { 1, "allocations of each", least = 1 },
    bug = { 0, "1: plain get, no grace period; 2: no grace period; 3: a grace period that takes " ..
               "the last reader's k-1 finished lookups for all of them" },
    refcount = { false, "references are counted in a refcount" },
    split = { 0, "without refcount, 1: a tryget reads the count, then compares and exchanges " ..
                 "it, until that works; 2: who finds another count waits for ever: tools that " ..
                 "leave out rounds of a loop which change nothing count what is left" },
  },

  setup = function(sim, opt, t)
    sim.entry = sim:cell("entry", true)
    if opt.refcount then
      sim.ref, sim.get, sim.tryget, sim.put = sim:refcount("ref", 1), t.refcount_inc,
        t.refcount_inc_not_zero, t.refcount_dec_and_test
    else
      sim.ref, sim.get, sim.tryget, sim.put = sim:cell("ref", 1), t.atomic_add,
        t.inc_not_zero, t.dec_and_test
    end
    if opt.split > 0 then
      local never = sim:cell("never", false)
      sim.tryget = tryget_in_steps(function(u)
        if opt.split == 2 then u:wait_until(never, true) end
      end)
    end
    sim.freed = sim:cell("freed", false)
    sim.queued = sim:cell("queued", false)
    sim.armed = sim:cell("armed", false)
    sim.finished = sim:cell("finished", 0)
    sim.rl = {}
    for i = 1, opt.n do sim.rl[i] = sim:mutex("rl[" .. i .. "]") end
  end,

  tasks = function(_, opt)
    local tasks = {}
    for i = 1, opt.n do tasks[i] = task("alloc" .. i, allocator(i)) end
    tasks[#tasks + 1] = task("offline", offline)
    tasks[#tasks + 1] = task("rcu_cb", rcu_callback)
    tasks[#tasks + 1] = task("worker", worker)
    return tasks
  end,

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", never = "*", explore = { strategy = "dpor" } },
    { "v5.3", never = "*", explore = { strategy = "exhaustive" } },
    { "v5.3", set = { split = 1 }, never = "*", explore = { strategy = "dpor" } },
    { "v5.3", set = { split = 1 }, never = "*", explore = { strategy = "exhaustive" } },
    { "v5.3", set = { n = 1, k = 1 }, never = "*",
      explore = { strategy = "bounded", preemptions = 3 } },
    { "v5.3", set = { refcount = true }, never = "*", explore = { strategy = "dpor" } },
    { "v5.3", set = { refcount = true }, never = "*", explore = { strategy = "exhaustive" } },
    { "v5.3", set = { n = 3, k = 2, refcount = true }, never = "*",
      explore = { strategy = "dpor" } },
    { "v5.3", set = { bug = 1 }, finds = "assert", explore = { strategy = "dpor" } },
    { "v5.3", set = { bug = 1, refcount = true }, finds = "assert",
      explore = { strategy = "dpor" } },
    { "v5.3", set = { bug = 2, refcount = true }, finds = "assert",
      explore = { strategy = "dpor" } },
    { "v5.3", set = { k = 2, bug = 3, refcount = true }, finds = "assert",
      explore = { strategy = "dpor" } },
    { "v5.3", set = { bug = 2 }, finds = "assert", explore = { strategy = "dpor" } },
    { "v5.3", set = { k = 2, bug = 3 }, finds = "assert", explore = { strategy = "dpor" } },
  },
}
