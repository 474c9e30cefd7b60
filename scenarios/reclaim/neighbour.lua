-- SPDX-License-Identifier: GPL-2.0-only
--
-- Can one hierarchy steer another one's reclaim?  A cgroup with four children is reclaimed a little
-- at a time, so that each child in turn gives what is wanted.  Next door cgroups come and go, or in
-- the hierarchy itself (inside).  If a removal makes the position of the walk worthless, the first
-- child pays again.
--
-- tests/tools/iterators.sh runs this for each design; docs/iterators.md has the table.

return scenario {
  doc = "over-reclaim that removals elsewhere cause",
  options = {
    iterator = { "", "design of mem_cgroup_iter(); none: the lifecycle's" },
    churn = { true, "cgroups come and go next door" },
    inside = { false, "and not next door, but beside those that are reclaimed" },
    rounds = { 40, "times that the hierarchy is reclaimed" },
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
      for i = 1, opt.rounds do
        if opt.churn then
          local victim = t:mkdir("churn" .. i, sim.away)
          t:rmdir(victim)
          t:sleep(ms(100)) -- until it is gone
        end
        t:reclaim(sim.box, 32)
      end
      local told, most, least = {}, 0, math.maxinteger
      for i = 1, 4 do
        local pages = t:reclaim_figures(sim.child[i]).reclaimed
        told[i] = "c" .. i .. "=" .. pages
        most, least = math.max(most, pages), math.min(least, pages)
      end
      local f = t:reclaim_figures()
      told[#told + 1] = "restarts=" .. f.restarts
      told[#told + 1] = "needless=" .. f.needless_restarts
      told[#told + 1] = "excess=" .. most - f.reclaimed // 4
      t:log("reclaimed: " .. table.concat(told, " "))
    end),
  },

  expect = {
    { "v5.3", set = { iterator = "global-count" }, never = "*" },
    { "v5.3", set = { iterator = "dead-count" }, never = "*" },
    { "v5.3", set = { iterator = "pinned-cleanup" }, never = "*" },
    { "v5.3", set = { iterator = "weak", inside = true }, never = "*" },
  },
}
