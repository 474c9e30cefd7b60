-- SPDX-License-Identifier: GPL-2.0-only
--
-- Several tasks of two cgroups allocate from the same cache for the first time, on two CPUs, while
-- other cgroups are made.  Each of them has the child of its cgroup created, by a work item of its
-- own; there must be one for each cgroup, in its slot, and all of it must go with the cgroups.

-- How many orderings an expectation below is about, drawn anew for each run.
local few = { strategy = "pct", runs = 1000 }
local many = { strategy = "pct", runs = 20000 }
local any = { strategy = "random", runs = 500 }

-- Before v4.0 nobody frees the empty pages of a removed cgroup, which keep it.
local sound = {
  "use-after-free", "refcount", "lock", "progress", "charge", "shutdown-referenced", "slot",
}

local expect = {
  { "v3.15", variant = { "none", "array-relocate-lost" }, finds = "slot", explore = many },
  { "v3.16", variant = { "none", "array-relocate-lost" }, finds = "slot", explore = many },
  { "v3.15", variant = { "none", "list-before-pointer" }, finds = "use-after-free",
    explore = many },
  { "v5.3", variant = { "none", "create-without-recheck" }, finds = "use-after-free",
    explore = many },
  { "v6.12", never = "*", explore = any },
}
for _, l in ipairs { "v3.15", "v3.16", "v3.19", "seed2" } do
  expect[#expect + 1] = { l, variant = "none", never = sound, explore = few }
end
for _, l in ipairs { "v4.0", "v4.7", "v4.10", "v4.11", "v4.18", "seed1-v4", "v5.3", "v5.8",
                     "v5.9", "v5.10", "v6.1", "v6.12" } do
  expect[#expect + 1] = { l, variant = "none", never = "*", explore = few }
end

return scenario {
  doc = "children of one cache are created for several tasks at once",
  options = {
    users = { 2, "tasks of each cgroup" },
    jobs = { 3, "new cgroups, the last of which needs a larger array" },
  },

  setup = function(sim)
    sim.boxes = { sim:cgroup("box1"), sim:cgroup("box2") }
    sim.dentry = sim:cache("dentry", { object_size = 192 })
  end,

  tasks = function(sim, opt)
    local tasks, users = {}, {}
    for i = 1, 2 * opt.users do
      local name = "user" .. i
      users[i] = name
      tasks[i] = task(name, { cpu = i % 2, cgroup = "box" .. 1 + (i - 1) // opt.users },
        function(t)
          for _ = 1, 2 do
            local object = t:alloc(sim.dentry)
            if object then t:free(object) end
          end
        end)
    end

    tasks[#tasks + 1] = task("launcher", { cpu = 1 }, function(t)
      for i = 1, opt.jobs do t:mkdir("job" .. i) end
    end)

    tasks[#tasks + 1] = task("admin", { cpu = 0 }, function(t)
      for _, name in ipairs(users) do t:join(sim:task(name)) end
      for _, box in ipairs(sim.boxes) do t:rmdir(box) end
    end)
    return tasks
  end,

  expect = expect,
}
