-- SPDX-License-Identifier: GPL-2.0-only
--
-- A host starts a container every few minutes and removes it a little later.  How many removed
-- cgroups are still there after a week, and how many of their caches, with each generation?
--
-- Numbers.  The published series are averages over production hosts: 56 dying cgroups at first,
-- then 362, 628, 752, 1070, 1250, 1490, 1560 at the end of seven days; with reparenting 23, 46,
-- 51, 55, 60, 57, 67, 69 (cover of v7 of the reparenting series, 2019-06-11).  Nobody published
-- how many cgroups such a host goes through.  Two figures here are fitted to the first series:
-- 300 cgroups a day leave an object behind that somebody else goes on using, and such an object
-- stays for 10 days in the mean.  Two are fitted to the level of the second: a page of user
-- memory stays behind in as many of them, for 4 hours in the mean.  All lifecycles then get the
-- same load; what they make of it is not fitted.
--
-- Scale.  The rate of cgroups is not scaled.  A cgroup has 3 caches where a host has some
-- hundred, and allocates a few objects where a container allocates thousands: those that are
-- freed with the container change nothing here.  The figures are cgroups and caches, not bytes.

local random = require "random"
local after = random.exponential_integer -- ns

local day, hour, minute = s(86400), s(3600), s(60)
local original = { 362, 628, 752, 1070, 1250, 1490, 1560 } -- published, at the end of each day

-- One container: a few tasks' worth of objects, most of which go with it.
local function container(sim, opt)
  return function(t)
    local cgroup = t:mkdir(t:name())
    t:attach(cgroup)
    local caches = { sim.dentry, sim.inode, sim.kmalloc }
    local held, left = {}, nil
    for i, cache in ipairs(caches) do
      if opt.account then t:create_child(cache, cgroup) end
      held[i] = t:alloc_many(cache, 2)
    end
    if t:random(100) <= opt.leave then left = t:alloc(caches[t:random(2)]) end
    local page = t:random(100) <= opt.leave and t:charge(cgroup, 1)
    t:attach(sim.root)
    t:sleep(after(t, 10 * minute))
    for _, objects in ipairs(held) do t:free_many(objects) end
    t:rmdir(cgroup)
    -- What stays behind is used by somebody else, and freed when memory gets short.
    if page then
      t:spawn(t:name() .. "-page", function(u)
        u:sleep(after(u, opt.page_hours * hour))
        u:uncharge(cgroup, 1)
      end)
    end
    if left then
      t:sleep(after(t, opt.object_days * day))
      t:free(left)
    end
  end
end

local claims = {
  { "where slab pages pin their memcg (v4.0 to v5.2), dying cgroups grow from day to day, as " ..
    "they did on hosts: never 25 % away from what was measured there", function(r)
    local ok, parts = true, {}
    for _, version in ipairs { "v4.0", "v4.11", "v4.18" } do
      local slope = r:slope("dying cgroups", version, 1)
      local worst = 0
      for day, published in ipairs(original) do
        local off = math.abs(r:mean("dying cgroups", version, day) / published - 1)
        worst = math.max(worst, off)
      end
      ok = ok and slope.low > 100 and slope.r2 > 0.95 and worst < 0.25
      parts[#parts + 1] = string.format("%s: %.0f a day (%.0f to %.0f), at most %.0f %% away",
                                        version, slope.mean, slope.low, slope.high, 100 * worst)
    end
    return ok, table.concat(parts, "; ") .. "; published: 208 a day"
  end },
  { "where caches are reparented or objects have owners of their own, they stay at a level",
    function(r)
    local ok, parts = true, {}
    for _, version in ipairs { "v5.3", "v5.9", "v6.12" } do
      local slope = r:slope("dying cgroups", version, 1)
      local _, high = r:interval("dying cgroups", version)
      ok = ok and slope.low < 5 and slope.high < 10 and high < 100 and
        r:below("dying cgroups", version, "v4.18")
      parts[#parts + 1] = string.format("%s: %.0f after a week, %.2f a day (%.2f to %.2f)",
                                        version, r:mean("dying cgroups", version), slope.mean,
                                        slope.low, slope.high)
    end
    return ok, table.concat(parts, "; ") .. "; published: 69 after a week, 3 a day"
  end },
  { "that level is the one without accounting of kernel memory: what remains is user memory",
    function(r)
    local ok, parts = true, {}
    for i, version in ipairs { "v5.3", "v5.9", "v6.12" } do
      local more = r:difference("dying cgroups", version, "no kmem")
      ok = ok and more.low > -5 and more.high < 5
      parts[i] = string.format("%.1f more (%.1f to %.1f) in %s", more.mean, more.low, more.high,
                               version)
    end
    return ok, string.format("%.0f without, and with the same seeds ",
                             r:mean("dying cgroups", "no kmem")) .. table.concat(parts, ", ")
  end },
  { "before v4.0 nothing is shrunk at offline: an empty page that is kept for later use pins a " ..
    "cgroup as well as an object does", function(r)
    return r:above("dying cgroups", "v3.19", "v4.0"),
      string.format("%.0f in v3.19, %.0f in v4.0", r:mean("dying cgroups", "v3.19"),
                    r:mean("dying cgroups", "v4.0"))
  end },
  { "a dying cgroup keeps all of its caches up to v5.2; v5.3 keeps those with objects, v5.9 none",
    function(r)
    local all = r:mean("caches of cgroups", "v4.18") / r:mean("dying cgroups", "v4.18")
    local left = r:mean("caches of cgroups", "v5.3")
    return all > 2.9 and r:below("caches of cgroups", "v5.3", "v4.18") and
      r:mean("caches of cgroups", "v5.9") == 0,
      string.format("%.1f for each dying cgroup in v4.18; after a week %.0f caches in v4.18, " ..
                    "%.0f in v5.3, %.0f in v5.9", all, r:mean("caches of cgroups", "v4.18"), left,
                    r:mean("caches of cgroups", "v5.9"))
  end },
}

return scenario {
  doc = "a week of container churn",
  lifecycle = "v5.3",
  options = {
    days = { 7, "days of virtual time" },
    account = { true, "kernel memory is accounted" },
    every = { 216, "seconds from one container to the next" },
    leave = { 75, "percent of containers that leave an object, and as many that leave a page" },
    object_days = { 10, "mean days for which such an object is used" },
    page_hours = { 4, "mean hours for which such a page is used" },
  },

  setup = function(sim, opt)
    for name, size in pairs { dentry = 192, inode = 600, kmalloc = 256 } do
      sim[name] = sim:cache(name, { object_size = size, account = opt.account })
    end
  end,

  tasks = {
    task("host", { cpu = 0 }, function(t, sim, opt)
      local ends = t:now() + opt.days * day
      local n = 0
      while t:now() < ends do
        n = n + 1
        t:spawn("c" .. n, container(sim, opt)) -- a name of its own: random numbers of its own
        t:sleep(s(opt.every))
      end
    end),
  },

  expect = {
    { "v3.19", never = "*", set = { days = 1, every = 1800 } },
    { "v4.18", never = "*", set = { days = 1, every = 1800 } },
    { "v5.8", never = "*", set = { days = 1, every = 1800 } },
    { "v6.12", never = "*", set = { days = 1, every = 1800 } },
  },

  study = {
    title = "dying cgroups over a week of container churn",
    series = {
      "v3.19", "v4.0", "v4.11", "v4.18", "v5.3", "v5.9", "v6.12",
      { "no kmem", lifecycle = "v4.18", set = { account = false } },
    },
    x = { every = day, to = 7 * day, unit = "day" },
    metrics = {
      { "dying cgroups", gauge = "dying_cgroups" },
      { "caches of cgroups", gauge = "child_caches" },
    },
    claims = claims,
  },
}
