-- SPDX-License-Identifier: GPL-2.0-only
--
-- A percpu_ref is killed while others take references: does the object outlive them?
-- Whoever takes a reference with tryget_live either gets one before the release, or none. With
-- `buggy` a user takes one with a plain get instead, although nothing keeps the object for him.

local function user(t, sim, opt)
  if opt.buggy then
    t:percpu_ref_get(sim.ref)
  elseif not t:percpu_ref_tryget_live(sim.ref) then
    return
  end
  t:read_once(sim.object)
  t:percpu_ref_put(sim.ref)
end

return model {
  doc = "percpu_ref_kill() against users of the object",
  options = { buggy = { false, "users take references without asking whether it is too late" } },

  setup = function(sim)
    sim.object = sim:cell("object", 0)
    sim.ref = sim:percpu_ref("ref", function(t) t:kfree(sim.object) end)
  end,

  tasks = {
    task("user1", user),
    task("user2", user),
    task("killer", function(t, sim) t:percpu_ref_kill(sim.ref) end),
  },

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", never = "*", explore = { strategy = "dpor" } },
    { "v5.3", set = { buggy = true }, finds = "*", explore = { strategy = "dpor" } },
    { "v5.3", set = { buggy = true }, finds = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
