-- SPDX-License-Identifier: GPL-2.0-only
--
-- Two reclaimers share a walk over a cgroup with three children, one breaks off, and one of the
-- children goes away.  Does the position of the walk follow it into freed memory, keep it, or
-- leave anybody out?

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 1000 }
local any = { strategy = "random", runs = 500 }
local more = { strategy = "pct", runs = 5000 }
local many = { strategy = "pct", runs = 60000 }
local one_preemption = { strategy = "bounded", preemptions = 1, runs = 2000 }

-- Ways to set the scenario up.
local function with(iterator, besides)
  local set = { iterator = iterator }
  for k, v in pairs(besides or {}) do set[k] = v end
  return set
end
local flat = { hierarchy = false, whole = true }
local all = { removed = "a b c box" }
local early = { at_rmdir = true }
local once = { at_rmdir = true, walks = 1, removed = "a" }

local sound = {}
for _, d in ipairs { "css-id", "pinned-cleanup", "global-count", "dead-count", "weak",
                     "weak-retry" } do
  for _, set in ipairs { with(d), with(d, all), with(d, early), with(d, flat) } do
    -- The exceptions stand below.
    if d ~= "pinned-cleanup" or not (set.removed or set.whole) then
      sound[#sound + 1] = { "v5.3", variant = "none", set = set, never = "*", explore = few }
    end
  end
  sound[#sound + 1] = { "v5.3", variant = "none", set = with(d), never = "*", explore = any }
end

local function broken(variant, set, checkers, how)
  return { "v5.3", variant = { "none", variant }, set = set, finds = checkers,
           never = not checkers and "*" or nil, explore = how or few }
end

local expect = {
  -- What the versions had.
  { "v3.19", finds = "leak", explore = few },
  { "v3.19", variant = { "none", "iter-pins-late" }, never = "*", explore = few },
  { "v3.19", variant = { "none", "iter-pins-css" }, finds = "leak", explore = few },
  { "v4.0", finds = "iterator", explore = few },
  { "v4.0", variant = "none", never = "*", explore = few },
  { "v4.7", never = "*", explore = few },
  { "v4.7", set = flat, finds = "use-after-free", explore = few },
  { "v4.18", set = flat, finds = "use-after-free", explore = few },
  { "v4.18", variant = "none", set = flat, never = "*", explore = few },
  { "v5.3", never = "*", explore = few },
  { "v5.3", set = flat, never = "*", explore = few },
  { "v5.10", never = "*", explore = few },
  { "v6.12", never = "*", explore = few },

  -- A position that holds a reference, with a lock and without.
  { "v5.3", variant = "none", set = with("pinned"), finds = "leak", explore = few },
  { "v5.3", variant = "none", set = with("pinned"), finds = "iterator", explore = few },
  { "v5.3", variant = "none", set = with("pinned-cmpxchg"), finds = "leak", explore = few },
  { "v5.3", variant = "none", set = with("pinned-cmpxchg"), explore = few,
    never = { "refcount", "use-after-free", "lock", "progress" } },
  -- A walk that goes on while its root is removed pins the root once more; and nobody looks for a
  -- position of the root of all if no parent leads there.
  { "v5.3", variant = "none", set = with("pinned-cleanup", all), finds = "leak", explore = few },
  { "v5.3", variant = "none", set = with("pinned-cleanup", flat), finds = "leak",
    explore = more },
  broken("iter-pins-late", with("pinned-cmpxchg"), "refcount"),

  -- Each guard taken away.
  broken("dead-count-two-reads", with("dead-count", early), "iterator"),
  broken("dead-count-two-reads", with("global-count", early), "iterator"),
  -- A spinlock keeps grace periods from ending where there is one flavour of RCU, as in v5.3.
  broken("dead-count-no-rcu", with("dead-count", early), nil, more),
  { "v3.16", variant = { "none", "dead-count-no-rcu" }, set = with("dead-count", early),
    finds = "use-after-free", explore = { strategy = "pct", runs = 20000 } },
  broken("dead-count-unlocked", with("dead-count", once), "iterator", many),
  -- The order of the two stores matters only where no lock keeps others from looking in between.
  { "v5.3", variant = { "none", "dead-count-unlocked" }, set = with("dead-count", once),
    never = "*", explore = one_preemption },
  { "v5.3", variant = { "none", "dead-count-unlocked", "dead-count-before-position" },
    set = with("dead-count", once), finds = "iterator", explore = one_preemption },
  broken("dead-count-offline", with("dead-count"), "iterator"),
  broken("dead-count-offline", with("pinned-cleanup"), "leak"),
  broken("iter-root-rmdir-loop", with("dead-count", all), "iterator"),
  broken("iter-root-css-leak", with("dead-count", all), "leak"),
  broken("iter-root-put", with("dead-count", all), "refcount"),
  broken("iter-nonhier-stale-position", with("weak", flat), "iterator"),
  broken("iter-nonhier-own-position", with("weak", flat), "iterator"),
  broken("iter-nonhier-stale-position", with("weak-retry", flat), "iterator"),
  broken("iter-cleared-at-free", with("weak"), "refcount", more),
  broken("iter-returns-unpinned", with("weak"), "iterator"),
  broken("iter-unlinked-is-last", with("weak-retry"), "iterator"),
}
for _, entry in ipairs(sound) do expect[#expect + 1] = entry end

return scenario {
  doc = "walks that share a position, and a cgroup that is removed below them",
  options = {
    iterator = { "", "design of mem_cgroup_iter(); none: the lifecycle's" },
    hierarchy = { true, "memory.use_hierarchy" },
    whole = { false, "walk from the root of all cgroups" },
    walks = { 2, "walks of each reclaimer" },
    at_rmdir = { false, "rmdir takes the memcg offline, without a grace period" },
    removed = { "a c", "what is removed" },
  },
  reclaim = function(opt)
    return { iterator = opt.iterator, hierarchy = opt.hierarchy, offline_at_rmdir = opt.at_rmdir }
  end,

  setup = function(sim, opt)
    sim.box = sim:cgroup("box")
    for _, name in ipairs { "a", "b", "c" } do sim[name] = sim:cgroup(name, sim.box) end
    sim.top = opt.whole and sim.root or sim.box
  end,

  tasks = {
    task("stopper", { cpu = 0 }, function(t, sim, opt)
      for _ = 1, opt.walks do t:iterate(sim.top, { max = opt.whole and 3 or 2 }) end
    end),

    task("walker", { cpu = 1 }, function(t, sim, opt)
      for _ = 1, opt.walks do t:iterate(sim.top) end
    end),

    task("admin", { cpu = 1 }, function(t, sim, opt)
      for name in opt.removed:gmatch("%a+") do t:rmdir(sim[name]) end
    end),
  },

  expect = expect,
}
