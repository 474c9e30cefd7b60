-- SPDX-License-Identifier: GPL-2.0-only
--
-- A walk stands on a cgroup that is removed, and somebody may walk on or not.  Small enough for
-- every ordering, on one CPU without preemption, where each wait is a choice: does each design keep
-- what it promises?

return scenario {
  doc = "one position, one removal: every ordering",
  options = {
    iterator = { "", "design of mem_cgroup_iter(); none: the lifecycle's" },
    walk = { true, "somebody walks on" },
  },
  reclaim = function(opt) return { iterator = opt.iterator, offline_at_rmdir = true } end,
  preempt = "none",
  cpus = 1,

  setup = function(sim, _, t)
    sim.box = sim:cgroup("box")
    t:iterate(sim.root, { max = 2 })
  end,

  tasks = {
    task("walker", function(t, sim, opt)
      if opt.walk then t:iterate(sim.root, { max = 1 }) end
    end),
    task("admin", function(t, sim)
      t:rmdir(sim.box)
    end),
  },

  expect = (function()
    local all, expect = { strategy = "exhaustive" }, {}
    local function add(design, walk, claim)
      local entry = { "v5.3", variant = "none", explore = all,
                      set = { iterator = design, walk = walk } }
      for k, v in pairs(claim) do entry[k] = v end
      expect[#expect + 1] = entry
    end
    for _, design in ipairs { "css-id", "pinned-cleanup", "global-count", "dead-count", "weak",
                              "weak-retry" } do
      add(design, true, { never = "*" })
    end
    -- Whoever walks on lets go of the cgroup; if nobody does, it stays.
    for _, design in ipairs { "pinned", "pinned-cmpxchg" } do
      add(design, true, { never = "*" })
      add(design, false, { always = "leak" })
    end
    return expect
  end)(),
}
