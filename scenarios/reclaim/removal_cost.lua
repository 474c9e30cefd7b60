-- SPDX-License-Identifier: GPL-2.0-only
--
-- What does the removal of a cgroup cost, in each design of mem_cgroup_iter()?  A cgroup some
-- levels down is removed while a walk of the whole tree stands on it; the log tells what that
-- looked at.
--
-- scenarios/studies/iter_removal.lua measures it.  tests/tools/iterators.sh runs it for each
-- design; docs/iterators.md has the table.

local function figures(t)
  local f = t:reclaim_figures()
  return { positions = f.positions, locks = f.locks, counts = f.counts, cleared = f.cleared }
end

return scenario {
  doc = "positions, locks and counters that the removal of a cgroup looks at",
  options = {
    iterator = { "", "design of mem_cgroup_iter(); none: the lifecycle's" },
    depth = { 4, "levels below the root" },
    nodes = { 2, "memory nodes" },
    zones = { 3, "zones of a node" },
  },
  lifecycle = "v4.0", -- a position for each node, zone and priority
  variants = { "none" },
  reclaim = function(opt)
    return { iterator = opt.iterator, nodes = opt.nodes, zones = opt.zones }
  end,

  setup = function(sim, opt)
    local parent = sim.root
    for level = 1, opt.depth do
      parent = sim:cgroup("level" .. level, parent)
    end
    sim.last = parent
  end,

  tasks = {
    task("admin", { cpu = 0 }, function(t, sim, opt)
      -- The walk stops on the one that is removed then, which is the last in any order.
      t:iterate(sim.root, { max = opt.depth + 1 })
      local before = figures(t)
      t:rmdir(sim.last)
      t:sleep(ms(200))
      local after, told = figures(t), {}
      for _, name in ipairs { "positions", "locks", "counts", "cleared" } do
        told[#told + 1] = name .. "=" .. after[name] - before[name]
        t:measure(name, after[name] - before[name])
      end
      t:log("removal: " .. table.concat(told, " "))
    end),
  },

  expect = {
    { "v4.0", variant = "none", set = { iterator = "pinned-cleanup" }, never = "*" },
    { "v4.0", variant = "none", set = { iterator = "global-count" }, never = "*" },
    { "v4.0", variant = "none", set = { iterator = "dead-count" }, never = "*" },
    { "v4.0", variant = "none", set = { iterator = "weak" }, never = "*" },
    { "v4.0", variant = "none", set = { iterator = "weak-retry" }, never = "*" },
    { "v4.0", variant = "none", set = { iterator = "css-id" }, never = "*" },
    { "v4.0", variant = "none", set = { iterator = "pinned" }, always = { "leak", "iterator" } },
  },
}
