-- SPDX-License-Identifier: GPL-2.0-only
--
-- A tree of cgroups is removed from the leaves up while each still has live objects.
-- Every child cache must be handed to an ancestor that is alive, and in the end nothing of the
-- tree may be left.

local function grow(sim, parent, path, depth, width)
  for i = 1, width do
    local cgroup = sim:cgroup("n" .. i, parent)
    local name = path .. "n" .. i
    if depth > 1 then grow(sim, cgroup, name .. "/", depth - 1, width) end
    -- Children come before their parent: the order in which they can be removed.
    sim.nodes[#sim.nodes + 1] = { cgroup = cgroup, path = name }
  end
end

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 500 }
local many = { strategy = "pct", runs = 10000 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "assert",
}

return scenario {
  doc = "a tree of cgroups is removed bottom-up while objects live in each of them",
  options = {
    depth = { 2, "levels of the tree" },
    width = { 2, "children of each cgroup" },
    objects = { 2, "objects allocated in each cgroup" },
  },

  setup = function(sim, opt)
    sim.nodes, sim.held = {}, {}
    grow(sim, sim.root, "", opt.depth, opt.width)
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    for _, node in ipairs(sim.nodes) do sim:create_child(sim.dentry, node.cgroup) end
  end,

  tasks = function(sim, opt)
    local tasks = {}
    for i, node in ipairs(sim.nodes) do
      tasks[i] = task("user" .. i, { cgroup = node.path }, function(t)
        sim.held[i] = t:alloc_many(sim.dentry, opt.objects)
      end)
    end

    tasks[#tasks + 1] = task("admin", { cpu = 1 }, function(t)
      for i, node in ipairs(sim.nodes) do
        t:join(sim:task("user" .. i))
        t:rmdir(node.cgroup)
      end
    end)

    tasks[#tasks + 1] = task("reaper", { cpu = 0 }, function(t)
      for i = 1, #sim.nodes do
        t:join(sim:task("user" .. i))
        t:free_many(sim.held[i])
        t:sleep(ms(t:random(10)))
      end
    end)
    return tasks
  end,

  expect = {
    { "v5.3", never = "*" },
    { "v5.3", variant = "none", never = "*", explore = few },
    { "v5.10", variant = "none", never = "*", explore = few },
    { "v6.12", never = "*", explore = few },
    { "v5.3", variant = { "none", "get-cache-rcu-typo" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "release-lock-irq" }, finds = "lock", explore = few },
    { "v5.3", variant = { "none", "workfn-write-after-free" }, finds = "use-after-free",
      explore = many },
    { "v5.3", variant = { "none", "workfn-clobber" }, finds = "progress", explore = few },
    { "seed1-v4", finds = "*", explore = few },
    { "v4.18", never = "*" },
    { "v4.18", variant = "none", never = "*", explore = few },
    { "v4.11", variant = "none", never = "*", explore = few },
    { "v4.10", variant = "none", never = "*", explore = few },
    { "v4.7", variant = "none", never = "*", explore = few },
    { "v4.0", variant = "none", never = "*", explore = few },
    { "seed2", variant = "none", never = sound, explore = few },
    { "v3.19", variant = "none", never = sound, explore = few },
    { "v3.15", variant = "none", never = sound, explore = few },
    { "v3.16", variant = "none", never = sound, explore = few },
  },
}
