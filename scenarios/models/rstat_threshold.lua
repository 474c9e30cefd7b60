-- SPDX-License-Identifier: GPL-2.0-only
--
-- Each CPU adds up how much it has changed in statistics, and passes that on once it is enough.
-- A flush on another CPU sets the sum to zero.  What becomes of a reset that comes while the CPU
-- adds?
--
-- Adding is a load and a store, and the flush may store in between: the CPU then writes the old
-- sum plus its own on top of the zero, and a flush that has just been made counts as due.  With
-- `atomic` the CPU adds in one step, and nothing is lost.
--
-- Upstream: "memcg: fix data-race KCSAN bug in rstats" (v6.10), Breno Leitao.  It marked the
-- accesses, so that no compiler tears them; a reset may still be lost, which costs a needless
-- flush.

local ALL = { strategy = "dpor" }
local BATCH = 2

return model {
  doc = "a CPU's sum of changes against a flush that resets it",
  options = { atomic = { false, "the CPU adds in one step" } },

  setup = function(sim)
    sim.updates = sim:cell("stats_updates", BATCH - 1)
    sim.flushed = sim:cell("flushed", false)
  end,

  tasks = {
    task("updater", function(t, sim, opt)
      if opt.atomic then
        t:atomic_add(sim.updates, 1)
      else
        local n = t:load(sim.updates)
        t:store(sim.updates, n + 1)
      end
    end),

    task("flusher", function(t, sim)
      t:write_once(sim.updates, 0)
      t:write_once(sim.flushed, true)
    end),

    task("reader", function(t, sim)
      t:wait_until(sim.flushed, true)
      -- At most the one change that came after the flush.
      t:assert(t:read_once(sim.updates) < BATCH, "a flush is due right after a flush")
    end),
  },

  expect = {
    { "v5.3", finds = "assert", explore = ALL },
    { "v5.3", set = { atomic = true }, never = "*", explore = ALL },
  },
}
