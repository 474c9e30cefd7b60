-- SPDX-License-Identifier: GPL-2.0-only
--
-- An object is replaced while readers use it: when can the old one be freed?
-- The updater publishes a new object, waits for a grace period and frees the old one. With `buggy`
-- it does not wait, and a reader that found the old object still uses it.

local function reader(t, sim)
  t:rcu_read_lock()
  local object = t:rcu_dereference(sim.pointer)
  local value = t:read_once(object)
  t:rcu_read_unlock()
  t:assert(value == 1 or value == 2, "an object was read before it was initialised")
end

return model {
  doc = "replacing an object under readers, with and without a grace period",
  options = { buggy = { false, "free the old object without waiting for readers" } },

  setup = function(sim)
    sim.pointer = sim:cell("pointer", sim:cell("old", 1))
  end,

  tasks = {
    task("reader1", reader),
    task("reader2", reader),
    task("updater", function(t, sim, opt)
      local old = t:rcu_dereference(sim.pointer)
      local new = sim:cell("new", 0)
      t:write_once(new, 2)
      t:rcu_assign_pointer(sim.pointer, new)
      if not opt.buggy then t:synchronize_rcu() end
      t:kfree(old)
    end),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", never = "*", explore = { strategy = "dpor" } },
    { "v5.3", set = { buggy = true }, finds = "use-after-free", explore = { strategy = "dpor" } },
    { "v5.3", set = { buggy = true }, finds = "use-after-free",
      explore = { strategy = "pct", runs = 1000 } },
  },
}
