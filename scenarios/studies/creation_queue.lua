-- SPDX-License-Identifier: GPL-2.0-only
--
-- While some cgroups are removed, others begin to allocate.  The first allocation of a cgroup from
-- a cache queues a work item that creates the child, and that work item needs slab_mutex.  How
-- many kworkers stand in line, and how long does it take until the last child is there?  The
-- new cgroups begin at random moments of 200 ms.
--
-- In October 2016 machines with a 4.8 kernel were reported to have over 2000 kworkers, all of
-- which waited for slab_mutex, while its holder waited for a grace period.  There it was SLAB's
-- creation of a cache that waited; here it is what SLUB did at the same time, the deactivation
-- of v4.7.  What bounds the queue is the same.

local claims = {
  { "v4.7 waits for grace periods with slab_mutex held, and creations on system_wq get a " ..
    "kworker each, up to 256 for each CPU: over 2000 on 8 CPUs, as was reported", function(r)
    local n = r:mean("kworkers at most", "v4.7")
    return r:above("kworkers at most", "v4.7", 2000) and n < 8 * 257,
      string.format("%.0f kworkers and %.0f queued items with 600 cgroups; longest wait for " ..
                    "slab_mutex %.2f s", n, r:mean("work items at most", "v4.7"),
                    r:mean("longest wait for slab_mutex", "v4.7") / 1000)
  end },
  { "without a wait under the lock, as before in v4.0, the same creations need a few", function(r)
    local later = r:difference("until the last child is there", "v4.7", "v4.0")
    return r:below("kworkers at most", "v4.0", 50) and later.low > 500,
      string.format("%.0f kworkers in v4.0; in v4.7 the last child comes %.0f ms later (%.0f to " ..
                    "%.0f)", r:mean("kworkers at most", "v4.0"), later.mean, later.low, later.high)
  end },
  { "with a workqueue of their own (v4.10 and later) creations take a kworker or one for each " ..
    "CPU, however many are queued", function(r)
    local ok, parts = true, {}
    for i, version in ipairs { "v4.10", "v4.11", "v4.18", "v5.8" } do
      ok = ok and r:below("kworkers at most", version, 8 + 8) and
        r:below("kworkers at most", version, "v4.7")
      parts[i] = string.format("%s: %.0f kworkers, %.0f queued items", version,
                               r:mean("kworkers at most", version),
                               r:mean("work items at most", version))
    end
    return ok, table.concat(parts, "; ")
  end },
  { "nothing is lost on the way: every cgroup gets its children in every version", function(r)
    local ok = true
    for _, version in ipairs(r.series) do
      for _, x in ipairs(r.x) do ok = ok and r:mean("children", version, x) == 5 * x end
    end
    return ok, string.format("%.0f children with 600 cgroups", r:mean("children", "v4.7"))
  end },
}

return scenario {
  doc = "children are created while cgroups are removed",
  cpus = 8,
  options = {
    removed = { 20, "cgroups that are removed meanwhile" },
    started = { 100, "cgroups that begin to allocate" },
    caches = { 5, "caches that each of them uses" },
  },

  setup = function(sim, opt, t)
    sim.caches, sim.old, sim.new = {}, {}, {}
    for i = 1, opt.caches do
      sim.caches[i] = sim:cache("cache" .. i, { object_size = 128 + 64 * i })
    end
    for i = 1, opt.removed do
      sim.old[i] = sim:cgroup("old" .. i)
      t:attach(sim.old[i])
      for _, cache in ipairs(sim.caches) do
        sim:create_child(cache, sim.old[i])
        t:free(t:alloc(cache))
      end
    end
    for i = 1, opt.started do sim.new[i] = sim:cgroup("new" .. i) end
    t:attach(sim.root)
  end,

  tasks = function(sim, opt)
    local tasks = {}
    tasks[1] = task("admin", { cpu = 0 }, function(t)
      for _, box in ipairs(sim.old) do t:rmdir(box) end
    end)
    for i = 1, opt.started do
      tasks[i + 1] = task("user" .. i, { cpu = i % 8, cgroup = sim.new[i] }, function(t)
        t:sleep(ms(20) + t:random(ms(200)))
        for _, cache in ipairs(sim.caches) do t:free(t:alloc(cache)) end
      end)
    end
    return tasks
  end,

  expect = {
    { "v4.7", never = "*", set = { removed = 4, started = 20 } },
    { "v4.10", never = "*", set = { removed = 4, started = 20 } },
    { "v5.8", never = "*" },
  },

  study = {
    title = "creation of children while cgroups are removed",
    series = { "v3.19", "v4.0", "v4.7", "v4.10", "v4.11", "v4.18", "v5.8" },
    x = { set = "started", values = { 10, 100, 600 }, unit = "cgroups" },
    metrics = {
      { "kworkers at most", gauge = "kworkers", value = "max" },
      { "work items at most", gauge = "works", value = "max" },
      { "until the last child is there", at = "cache_slot_set", unit = "ms" },
      { "longest wait for slab_mutex", wait = "slab_mutex", value = "max", unit = "ms" },
      { "children", count = "cache_slot_set" },
    },
    claims = claims,
  },
}
