-- SPDX-License-Identifier: GPL-2.0-only
--
-- Several reclaimers share the walk of one hierarchy, each on a CPU of its own, and want a little
-- at a time.  Does every child pay its share?  Two who look at the same position visit the same
-- child unless a lock keeps them apart or the loser looks again; and one who stores late takes the
-- others back.
--
-- tests/tools/iterators.sh runs this for each design; docs/iterators.md has the table.

local CHILDREN = 8

return scenario {
  doc = "how evenly shared walks reclaim",
  options = {
    iterator = { "", "design of mem_cgroup_iter(); none: the lifecycle's" },
    reclaimers = { 4, "tasks that reclaim" },
    times = { 100, "times that each does" },
  },
  cpus = function(opt) return opt.reclaimers end,
  reclaim = function(opt) return { iterator = opt.iterator } end,

  setup = function(sim, _, t)
    sim.box = sim:cgroup("box")
    sim.child = {}
    for i = 1, CHILDREN do
      sim.child[i] = sim:cgroup("c" .. i, sim.box)
      t:charge(sim.child[i], 1000000)
    end
  end,

  tasks = function(sim, opt)
    local list = {}
    for i = 1, opt.reclaimers do
      list[i] = task("reclaimer" .. i, { cpu = i - 1 }, function(t)
        for _ = 1, opt.times do t:reclaim(sim.box, 32) end
        if i > 1 then return end
        for k = 2, opt.reclaimers do t:join(sim:task("reclaimer" .. k)) end
        local least, most, sum = math.maxinteger, 0, 0
        for _, child in ipairs(sim.child) do
          local f = t:reclaim_figures(child)
          least, most, sum = math.min(least, f.reclaimed), math.max(most, f.reclaimed),
                             sum + f.reclaimed
        end
        t:log("fairness: share=" .. sum // CHILDREN .. " least=" .. least .. " most=" .. most ..
              " visits=" .. t:reclaim_figures().visits ..
              " rounds=" .. t:reclaim_figures().rounds)
      end)
    end
    return list
  end,

  expect = {
    { "v5.3", never = "*" },
    { "v6.12", never = "*" },
    { "v5.3", set = { iterator = "pinned-cleanup" }, never = "*" },
    { "v5.3", set = { iterator = "css-id" }, never = "*" },
  },
}
