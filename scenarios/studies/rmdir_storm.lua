-- SPDX-License-Identifier: GPL-2.0-only
--
-- Many cgroups are removed in a row, as when an orchestrator cleans up.  Each has a few caches
-- that have to be deactivated.  How long does it take until all of them are offline, for how long
-- are cgroup_mutex and slab_mutex held, and how long does somebody wait who only wants to make a
-- cgroup?
--
-- v4.0 interrupts every CPU for each cache, v4.7 waits for a grace period for each, v4.10 for one
-- for all caches of a cgroup; v4.11 leaves the rest to a callback and a work item.  The children
-- of a cgroup are 3 where a host has some hundred: what is paid for each cache is some 30 times
-- as much there.

local claims = {
  { "v4.7 takes a grace period for each cache, v4.10 for each cgroup: with 3 caches, three " ..
    "times as long", function(r)
    local each = r:slope("until all are offline", "v4.7")
    local once = r:slope("until all are offline", "v4.10")
    local ratio = each.mean / once.mean
    return each.r2 > 0.99 and once.r2 > 0.99 and ratio > 2.7 and ratio < 3.3,
      string.format("%.1f ms a cgroup (%.1f to %.1f), %.1f ms (%.1f to %.1f); %.2f times as long",
                    each.mean, each.low, each.high, once.mean, once.low, once.high, ratio)
  end },
  { "both hold cgroup_mutex all the while: who only wants to make a cgroup waits for the end of it",
    function(r)
    local ok, parts = true, {}
    for i, version in ipairs { "v4.7", "v4.10" } do
      local waits = r:mean("longest mkdir of a bystander", version)
      local all = r:mean("until all are offline", version)
      ok = ok and waits > 0.9 * all
      parts[i] = string.format("%s: a mkdir of %.1f s, a storm of %.1f s", version, waits / 1000,
                               all / 1000)
    end
    return ok, table.concat(parts, "; ")
  end },
  { "v4.0 needs no grace period, but interrupts every other CPU for each cache", function(r)
    local least = 1000 * 3 * (4 - 1)
    return r:above("interrupts", "v4.0", least - 1) and
      r:below("interrupts", "v4.10", r:mean("interrupts", "v4.0") / 10),
      string.format("%.0f interrupts for 1,000 cgroups with 3 caches on 4 CPUs; %.0f in v4.10",
                    r:mean("interrupts", "v4.0"), r:mean("interrupts", "v4.10"))
  end },
  { "from v4.11 on nobody waits: at least 100 times faster than v4.10", function(r)
    local ok, parts = true, {}
    local old = r:interval("until all are offline", "v4.10")
    for i, version in ipairs { "v4.11", "v4.18", "v5.3", "v5.9", "v6.12" } do
      local _, high = r:interval("until all are offline", version)
      ok = ok and high * 100 < old
      parts[i] = string.format("%s %.1f ms", version,
                               r:mean("until all are offline", version))
    end
    return ok, string.format("v4.10 %.0f ms; ", r:mean("until all are offline", "v4.10")) ..
      table.concat(parts, ", ")
  end },
  { "up to v4.10 the caches of a memcg are looked for among all caches: slab_mutex is held " ..
    "for a time that grows with the square of the number of cgroups", function(r)
    local few = r:mean("slab_mutex held in all", "v4.0", 100)
    local many = r:mean("slab_mutex held in all", "v4.0", 1000)
    local later = r:mean("slab_mutex held in all", "v4.18", 1000) /
      r:mean("slab_mutex held in all", "v4.18", 100)
    return many / few > 20 and later < 15,
      string.format("10 times the cgroups: %.0f times as long in v4.0, %.0f times in v4.18",
                    many / few, later)
  end },
}

return scenario {
  doc = "many cgroups are removed in a row",
  cpus = 4,
  options = {
    cgroups = { 100, "cgroups that are removed" },
    caches = { 3, "caches of each" },
  },

  setup = function(sim, opt, t)
    sim.caches, sim.boxes = {}, {}
    for i = 1, opt.caches do
      sim.caches[i] = sim:cache("cache" .. i, { object_size = 128 + 64 * i })
    end
    for i = 1, opt.cgroups do
      local box = sim:cgroup("box" .. i)
      t:attach(box)
      for _, cache in ipairs(sim.caches) do
        sim:create_child(cache, box)
        t:free(t:alloc(cache))
      end
      sim.boxes[i] = box
    end
    t:attach(sim.root)
  end,

  tasks = {
    task("admin", { cpu = 0 }, function(t, sim)
      for _, box in ipairs(sim.boxes) do t:rmdir(box) end
    end),
    -- Somebody who has nothing to do with it.
    task("bystander", { cpu = 1 }, function(t, sim)
      for i = 1, 20 do
        t:sleep(ms(2))
        t:mkdir("mine" .. i)
      end
    end),
  },

  expect = {
    { "v4.0", never = "*", set = { cgroups = 20 } },
    { "v4.7", never = "*", set = { cgroups = 20 } },
    { "v4.10", never = "*", set = { cgroups = 20 } },
    { "v4.11", never = "*", set = { cgroups = 20 } },
    { "v5.8", never = "*" },
    { "v6.12", never = "*" },
  },

  study = {
    title = "removal of many cgroups with synchronous and asynchronous deactivation",
    series = { "v3.19", "v4.0", "v4.7", "v4.10", "v4.11", "v4.18", "v5.3", "v5.9", "v6.12" },
    x = { set = "cgroups", values = { 10, 100, 1000 }, unit = "cgroups" },
    metrics = {
      { "until all are offline", at = "css_offline_done", unit = "ms" },
      { "cgroup_mutex held in all", hold = "cgroup_mutex", unit = "ms" },
      { "cgroup_mutex held at most", hold = "cgroup_mutex", value = "max", unit = "us" },
      { "slab_mutex held in all", hold = "slab_mutex", unit = "us" },
      { "slab_mutex held at most", hold = "slab_mutex", value = "max", unit = "us" },
      { "longest mkdir of a bystander", op = "mkdir", value = "max", unit = "ms" },
      { "grace periods", count = "rcu_gp_end" },
      { "interrupts", count = "irq_handler_entry" },
    },
    claims = claims,
  },
}
