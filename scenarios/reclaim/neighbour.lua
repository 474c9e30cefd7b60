-- SPDX-License-Identifier: GPL-2.0-only
--
-- Can one hierarchy steer another one's reclaim?  A cgroup with four children is reclaimed a little
-- at a time, so that each child in turn gives what is wanted.  Next door cgroups come and go, or in
-- the hierarchy itself (inside).  If a removal makes the position of the walk worthless, the first
-- child pays again.
--
-- scenarios/studies/iter_fairness.lua measures it.  tests/tools/iterators.sh runs it for each
-- design; docs/iterators.md has the table.

return scenario {
  doc = "over-reclaim that removals elsewhere cause",
  options = {
    iterator = { "", "design of mem_cgroup_iter(); none: the lifecycle's" },
    removals = { 100, "of 100 turns have a removal before them, at random" },
    inside = { false, "beside those that are reclaimed, and not next door" },
    turns = { 40, "times that the hierarchy is reclaimed" },
  },
  reclaim = function(opt) return { iterator = opt.iterator } end,

  setup = function(sim, opt, t)
    sim.box, sim.other = sim:cgroup("box"), sim:cgroup("other")
    sim.child = {}
    for i = 1, 4 do
      sim.child[i] = sim:cgroup("c" .. i, sim.box)
      t:charge(sim.child[i], 200000)
    end
    sim.away = opt.inside and sim.box or sim.other
  end,

  tasks = {
    task("reclaimer", { cpu = 0 }, function(t, sim, opt)
      for i = 1, opt.turns do
        if t:random(100) <= opt.removals then
          t:rmdir(t:mkdir("churn" .. i, sim.away))
          t:sleep(ms(100)) -- until it is gone
        end
        t:reclaim(sim.box, 32)
      end
      local told, most = {}, 0
      for i = 1, 4 do
        local pages = t:reclaim_figures(sim.child[i]).reclaimed
        told[i] = "c" .. i .. "=" .. pages
        most = math.max(most, pages)
      end
      local f = t:reclaim_figures()
      local excess = most - f.reclaimed // 4
      told[#told + 1] = "restarts=" .. f.restarts
      told[#told + 1] = "needless=" .. f.needless_restarts
      told[#told + 1] = "excess=" .. excess
      t:log("reclaimed: " .. table.concat(told, " "))
      t:measure("most", most)
      t:measure("all", f.reclaimed)
      t:measure("excess", excess)
      t:measure("restarts", f.restarts)
      t:measure("needless", f.needless_restarts)
    end),
  },

  expect = {
    { "v5.3", set = { iterator = "global-count" }, never = "*" },
    { "v5.3", set = { iterator = "dead-count" }, never = "*" },
    { "v5.3", set = { iterator = "pinned-cleanup" }, never = "*" },
    { "v5.3", set = { iterator = "weak", inside = true }, never = "*" },
  },
}
