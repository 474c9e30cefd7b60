-- SPDX-License-Identifier: GPL-2.0-only
--
-- Hundreds of cgroups are removed at once, each with a page of user memory charged on every CPU,
-- which their offline moves to the parent after it has had the CPUs' spare charges drained.
-- The works of a removal may wait for others; they must not be in their way.  A queue runs 256
-- works of a CPU at a time: scenarios/history/destroy-works-fill-queue.lua has more than that.

return scenario {
  doc = "many cgroups are removed at the same time",
  options = {
    cgroups = { 40, "cgroups for each of two CPUs" },
  },

  setup = function(sim, opt)
    sim.boxes = {}
    for i = 1, 2 * opt.cgroups do sim.boxes[i] = sim:cgroup("box" .. i) end
  end,

  tasks = function(sim, opt)
    local tasks = {}
    for cpu = 0, 1 do
      tasks[#tasks + 1] = task("user" .. cpu, { cpu = cpu }, function(t)
        for i = 2 * opt.cgroups, 1, -1 do t:charge(sim.boxes[i], 1) end
      end)
      tasks[#tasks + 1] = task("admin" .. cpu, { cpu = cpu }, function(t)
        t:join(sim:task("user0"))
        t:join(sim:task("user1"))
        for i = 1 + cpu, 2 * opt.cgroups, 2 do t:rmdir(sim.boxes[i]) end
      end)
    end
    return tasks
  end,

  expect = {
    { "v6.12", never = "*" },
    { "v5.3", never = "*" },
    { "v3.19", never = "*" },
    { "v3.15", variant = "none", never = "*" },
  },
}
