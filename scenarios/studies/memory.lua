-- SPDX-License-Identifier: GPL-2.0-only
--
-- Cgroups use some caches, each a few objects of them.  How much memory does a live object take
-- when every cgroup has caches of its own, and when all share one set (v5.9 and later)?
--
-- What is counted: whole slab pages, and from v5.9 on the 8 bytes per object of the vectors that
-- say who pays.  Not counted: struct kmem_cache, its per-CPU parts and sysfs names, which makes
-- caches of one's own look better than they are.  How many objects a cgroup has of a cache varies
-- as an exponential distribution around the value of the axis; a third of them is freed again,
-- here and there, so that shared slabs have holes too.

local random = require "random"

local claims = {
  { "caches of one's own are used badly, and worse the fewer objects a cgroup has; shared ones " ..
    "well", function(r)
    local use, ok = "slab utilisation", true
    for i, x in ipairs(r.x) do
      ok = ok and r:below(use, "v5.8", "v5.9", x)
      if i > 1 then ok = ok and r:mean(use, "v5.8", x) > r:mean(use, "v5.8", r.x[i - 1]) end
    end
    local least, most = r:mean(use, "v5.9", r.x[1]), r:mean(use, "v5.9")
    return ok and least > 80, string.format(
      "%.0f to %.0f %% in v5.8, %.0f to %.0f %% in v5.9", r:mean(use, "v5.8", r.x[1]),
      r:mean(use, "v5.8"), least, most)
  end },
  { "where caches of one's own are used as hosts were seen to use them, 45 to 65 %, sharing " ..
    "saves about as much as was reported, 35 to 45 % on the average", function(r)
    local sum, n, parts = 0, 0, {}
    for _, x in ipairs(r.x) do
      local used = r:mean("slab utilisation", "v5.8", x)
      if used >= 45 and used <= 65 then
        local saved = 100 - 100 * r:mean("memory", "v5.9", x) / r:mean("memory", "v5.8", x)
        sum, n = sum + saved, n + 1
        parts[n] = string.format("%.0f %% used: %.0f %% saved", used, saved)
      end
    end
    return n > 0 and sum / n >= 30 and sum / n <= 50, table.concat(parts, "; ")
  end },
  { "the vectors cost little of that", function(r)
    local ok, most = true, 0
    for _, x in ipairs(r.x) do
      local part = 100 * r:mean("vectors", "v5.9", x) / r:mean("memory", "v5.9", x)
      ok, most = ok and part < 5, math.max(most, part)
    end
    return ok, string.format("at most %.1f %% of the memory in v5.9", most)
  end },
}

return scenario {
  doc = "memory per live object",
  options = {
    objects = { 8, "objects of a cgroup in each cache, in the mean" },
    cgroups = { 40, "cgroups" },
  },

  setup = function(sim)
    sim.caches = {}
    for i, size in ipairs { 64, 96, 128, 192, 256, 320, 512, 600, 1024, 2048 } do
      sim.caches[i] = sim:cache("cache" .. i, { object_size = size })
    end
  end,

  tasks = {
    task("user", { cpu = 0 }, function(t, sim, opt)
      for i = 1, opt.cgroups do
        local box = t:mkdir("box" .. i)
        for _, cache in ipairs(sim.caches) do t:create_child(cache, box) end
        t:attach(box)
        for _, cache in ipairs(sim.caches) do
          local mean = 1.5 * opt.objects -- of which a third goes
          local n = random.exponential_integer(t, mean)
          for _, object in ipairs(t:alloc_many(cache, n)) do
            if t:random(3) == 1 then t:free(object) end
          end
        end
        t:attach(sim.root)
      end
    end),
  },

  expect = {
    { "v4.18", never = "*" },
    { "v5.8", never = "*" },
    { "v6.12", never = "*" },
  },

  study = {
    title = "memory per live object, with caches for each cgroup and with shared ones",
    series = { "v4.18", "v5.8", "v5.9", "v6.12" },
    x = { set = "objects", values = { 1, 2, 4, 8, 16, 32, 64, 128 }, unit = "objects" },
    metrics = {
      { "memory per object", gauge = "kmem_bytes", per = { gauge = "objects" },
        unit = "bytes per object" },
      { "slab utilisation", gauge = "object_bytes", per = { gauge = "slab_bytes" }, scale = 100,
        unit = "%" },
      { "memory", gauge = "kmem_bytes", unit = "KiB" },
      { "vectors", gauge = "vector_bytes", unit = "KiB" },
    },
    claims = claims,
  },
}
