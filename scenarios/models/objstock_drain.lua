-- SPDX-License-Identifier: GPL-2.0-only
--
-- A CPU's stock names an objcg and holds a reference on it.  The CPU drains its stock while
-- another one looks whose bytes are in there.  Does the other one ever follow nothing, or freed
-- memory?
--
-- Who looks loads the pointer once or twice.  Who drains puts the reference first and clears the
-- pointer then, or the other way round, with interrupts off or, as with a local_lock on
-- PREEMPT_RT, on.
--
-- Upstream: 3b8abb323953 (v6.5), Roman Gushchin, made two loads one (objstock-double-read);
-- 567511462387 (v5.18), Sebastian Andrzej Siewior, has the pointer cleared before the put
-- (objstock-put-before-clear).  Interrupts that are off are no substitute, though no grace period
-- ends before they are on again: one that began before the other CPU's read section does not wait
-- for that, and the pointer is still there to be loaded.

local ALL = { strategy = "dpor" }

return model {
  doc = "a CPU's stock of bytes: who looks at it and who drains it (st-objstock-double-read)",
  options = {
    loads = { 1, "of the pointer, by who looks: 1, 2" },
    clears_first = { true, "the pointer is cleared before the reference is put" },
    irqs_off = { true, "while the stock is drained" },
  },

  setup = function(sim)
    sim.objcg = sim:cell("objcg", 7)
    sim.ref = sim:cell("objcg.refcnt", 1)
    sim.cached = sim:cell("stock.cached_objcg", sim.objcg)
  end,

  tasks = {
    task("owner", function(t, sim, opt)
      local function put()
        if t:dec_and_test(sim.ref) then t:kfree_rcu(sim.objcg) end
      end
      if opt.irqs_off then t:local_irq_disable() end
      if not opt.clears_first then put() end
      t:write_once(sim.cached, nil)
      if opt.clears_first then put() end
      if opt.irqs_off then t:local_irq_enable() end
    end),

    task("offline", function(t, sim, opt)
      t:rcu_read_lock()
      local objcg = t:read_once(sim.cached)
      if objcg and opt.loads == 2 then
        objcg = t:read_once(sim.cached)
        t:assert(objcg, "NULL dereference in obj_stock_flush_required()")
      end
      if objcg then t:read_once(objcg) end
      t:rcu_read_unlock()
    end),
  },

  expect = {
    { "v5.3", never = "*", explore = ALL },
    { "v5.3", set = { irqs_off = false }, never = "*", explore = ALL },
    { "v5.3", set = { clears_first = false }, finds = "use-after-free", explore = ALL },
    { "v5.3", set = { clears_first = false, irqs_off = false }, finds = "use-after-free",
      explore = ALL },
    { "v5.3", set = { loads = 2 }, finds = "assert", explore = ALL },
    { "v5.3", set = { loads = 2, clears_first = false }, finds = "assert", explore = ALL },
  },
}
