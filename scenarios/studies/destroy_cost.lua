-- SPDX-License-Identifier: GPL-2.0-only
--
-- A root cache with a child for each of some cgroups is destroyed, as when a module is unloaded.
-- How often does that wait for every RCU callback of the machine, and for how long does it keep
-- slab_mutex, which every cgroup removal and cache creation needs?
--
-- The caches are SLAB_TYPESAFE_BY_RCU, for which a barrier is needed at all.  Every child has had
-- an object, so that there is a slab page to free.  Nobody else uses the machine: the barriers
-- find only what the destruction itself has queued.

local claims = {
  { "v3.19 waits for a barrier for each cache, with memcg_slab_mutex held", function(r)
    local n = r:mean("barriers that the caller waits for", "v3.19")
    local time = r:mean("until kmem_cache_destroy() returns", "v3.19")
    local held = r:mean("memcg_slab_mutex held at most", "v3.19")
    return n == 101 and held > 0.9 * time,
      string.format("%.0f barriers for 100 children and the root; %.0f ms, of which the mutex " ..
                    "is held for %.0f ms", n, time, held)
  end },
  { "seed 2's patch makes that one barrier, and holds no lock meanwhile", function(r)
    local ok = true
    for _, version in ipairs { "seed2", "v4.0", "v4.10" } do
      for _, x in ipairs(r.x) do
        ok = ok and r:mean("barriers that the caller waits for", version, x) == 1
      end
      ok = ok and r:below("slab_mutex held at most", version, 1000)
    end
    return ok and r:below("until kmem_cache_destroy() returns", "seed2", "v3.19"),
      string.format("1 barrier for 1, 10 and 100 children, up to v4.10; %.1f ms for 100; " ..
                    "slab_mutex held for %.0f us",
                    r:mean("until kmem_cache_destroy() returns", "seed2"),
                    r:mean("slab_mutex held at most", "seed2"))
  end },
  { "v4.11 leaves the barrier to a work item: the caller waits for none", function(r)
    local time = "until kmem_cache_destroy() returns"
    return r:mean("barriers that the caller waits for", "v4.11") == 0 and
      r:mean("barriers in all", "v4.11") == 1 and r:below(time, "v4.11", "v4.10"),
      string.format("%.2f ms for 100 children, %.1f ms in v4.10", r:mean(time, "v4.11"),
                    r:mean(time, "v4.10"))
  end },
  { "the fixes add barriers: one in v4.18, and another until v5.8; they are short as long as " ..
    "nothing is queued", function(r)
    local time = "until kmem_cache_destroy() returns"
    return r:mean("barriers that the caller waits for", "v4.18") == 1 and
      r:mean("barriers that the caller waits for", "v5.8") == 2 and r:below(time, "v5.8", 1),
      string.format("%.2f ms in v4.18 and %.2f ms in v5.8 for 100 children", r:mean(time, "v4.18"),
                    r:mean(time, "v5.8"))
  end },
  { "what v4.11 to v5.8 pay: slab_mutex is held while the children's names are removed", function(r)
    local slope = r:slope("slab_mutex held at most", "v5.8")
    return r:above("slab_mutex held at most", "v4.11", "v4.10") and
      r:above("slab_mutex held at most", "v5.8", "v4.10") and slope.r2 > 0.99,
      string.format("%.2f us more for each child in v5.8 (%.2f to %.2f), at costs.sysfs = 5 us " ..
                    "a name; %.2f us in v4.10", slope.mean, slope.low, slope.high,
                    r:slope("slab_mutex held at most", "v4.10").mean)
  end },
  { "from v5.9 on there are no children: 100 cgroups cost as much as one", function(r)
    local ok, parts = true, {}
    for i, version in ipairs { "v5.9", "v6.12" } do
      local low1, high1 = r:interval("slab_mutex held at most", version, 1)
      local low100, high100 = r:interval("slab_mutex held at most", version, 100)
      ok = ok and low1 <= high100 and low100 <= high1
      parts[i] = string.format("%s: %.1f us and %.1f us", version,
                               r:mean("slab_mutex held at most", version, 1),
                               r:mean("slab_mutex held at most", version, 100))
    end
    return ok, "slab_mutex held in " .. table.concat(parts, "; ")
  end },
}

return scenario {
  doc = "a root cache with children is destroyed",
  options = {
    children = { 10, "cgroups that have a child of the cache" },
    typesafe = { true, "the cache is SLAB_TYPESAFE_BY_RCU" },
  },

  setup = function(sim, opt, t)
    sim.conntrack = sim:cache("conntrack", { object_size = 320, typesafe_by_rcu = opt.typesafe })
    for i = 1, opt.children do
      local box = sim:cgroup("box" .. i)
      sim:create_child(sim.conntrack, box)
      t:attach(box)
      t:free(t:alloc(sim.conntrack))
    end
    t:attach(sim.root)
  end,

  tasks = {
    task("rmmod", { cpu = 0 }, function(t, sim) t:destroy(sim.conntrack) end),
  },

  expect = {
    { "v3.19", never = "*" },
    { "v4.11", never = "*" },
    { "v5.8", never = "*" },
  },

  study = {
    title = "what the destruction of a root cache costs",
    series = {
      "v3.19", "seed2", "v4.0", "v4.10", "v4.11", "v4.18",
      -- As merged it follows a pointer to a memcg that is not there any more: a bug, not a cost.
      { "v5.3", lifecycle = "v5.3", variant = "-free-slab-memcg" },
      "v5.8", "v5.9", "v6.12",
    },
    x = { set = "children", values = { 1, 10, 100 }, unit = "children" },
    metrics = {
      { "barriers that the caller waits for", count = "rcu_barrier", during = "destroy" },
      { "barriers in all", count = "rcu_barrier" },
      { "until kmem_cache_destroy() returns", op = "destroy", unit = "ms" },
      { "slab_mutex held at most", hold = "slab_mutex", value = "max", unit = "us" },
      { "memcg_slab_mutex held at most", hold = "memcg_slab_mutex", value = "max", unit = "ms" },
      { "grace periods", count = "rcu_gp_end" },
    },
    claims = claims,
  },
}
