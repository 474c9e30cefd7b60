-- SPDX-License-Identifier: GPL-2.0-only
--
-- Does reclaim over the whole tree cost what the tree is large, and not more?  Half of the cgroups
-- are removed, and kept by their user pages: more than 65535 memcgs cannot have an id at the same
-- time, as in the kernel.  Then kswapd wants half of all pages, and all of them.
--
-- For the figures: --set cgroups=100000, and half as many.

local PARENTS = 100 -- cgroups below each of these are siblings

return scenario {
  doc = "many cgroups, reclaim over the whole tree",
  options = {
    cgroups = { 200, "cgroups, half of them removed" },
    pages = { 64, "user pages of each" },
    iterator = { "", "design of mem_cgroup_iter(); none: the lifecycle's" },
  },
  reclaim = function(opt) return { iterator = opt.iterator } end,

  setup = function(sim)
    sim.parents = {}
    for i = 1, PARENTS do sim.parents[i] = sim:cgroup("p" .. i) end
  end,

  tasks = {
    task("admin", { cpu = 0 }, function(t, sim, opt)
      local function make(i)
        local box = t:mkdir("box" .. i, sim.parents[i % PARENTS + 1])
        t:assert(box and t:charge(box, opt.pages), "no memory for box" .. i)
        return box
      end
      for i = 1, opt.cgroups // 2 do
        t:rmdir(make(i))
        if i % 1000 == 0 then t:sleep(ms(100)) end
      end
      t:sleep(ms(100))
      for i = opt.cgroups // 2 + 1, opt.cgroups do make(i) end

      local all = opt.cgroups * opt.pages
      local half = t:kswapd(all // 2)
      local rest = t:kswapd(all)
      local f = t:reclaim_figures()
      t:assert(half >= all // 2 and half + rest == all, "pages are left")
      t:log("kswapd: " .. f.visits .. " visits, " .. f.rounds .. " rounds, " .. f.reclaimed ..
            " pages")
    end),
  },

  expect = {
    { "v4.0", variant = "none", never = "*" },
    { "v5.3", never = "*" },
    { "v6.12", never = "*" },
    { "v5.3", set = { iterator = "pinned-cmpxchg" }, never = "*" },
  },
}
