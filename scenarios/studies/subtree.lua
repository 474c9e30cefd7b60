-- SPDX-License-Identifier: GPL-2.0-only
--
-- Two trees of cgroups use one file system, and every cgroup looks up some names that do not
-- exist.  Then somebody hits the limit on one of the trees.  On whose lists are the dentries, and
-- whose are shrunk?
--
-- What was claimed when list_lru was made per memcg in September 2014: its users do nothing but
-- ask for it, items are put on the list of the cgroup that they are accounted to, and shrink_slab
-- goes over the whole subtree of the cgroup whose limit is hit, and nowhere else.  v3.19 has one
-- list, and no shrinker that memcgs could call.

local NAMES = 40 -- of each cgroup: two pages of dentries
local ROOM = 64  -- pages that are left until the limit
local AWARE = { "v4.0", "v4.18", "v5.8", "v5.10", "v6.12" }

local own, most = "dentries on a cgroup's list", "on the longest"
local inside, outside = "cgroups of the tree shrunk", "cgroups elsewhere shrunk"
local lost = "dentries taken"

local function each(r, holds)
  local ok = true
  for _, series in ipairs(AWARE) do
    for _, x in ipairs(r.x) do ok = ok and holds(series, x) end
  end
  return ok
end

local claims = {
  { "list_lru distributes items by the cgroup that they are accounted to", function(r)
    return each(r, function(s, x)
      return r:mean(own, s, x) == NAMES and r:mean(most, s, x) == NAMES
    end), string.format("%d cgroups looked up %d names each: %.0f are on the list of each in " ..
                        "v4.0; in v3.19 all %.0f are on one", 2 * r.x[#r.x], NAMES,
                        r:mean(own, "v4.0"), r:mean(most, "v3.19"))
  end },
  { "shrink_slab goes over the whole subtree under the cgroup whose limit is hit", function(r)
    return each(r, function(s, x) return r:mean(inside, s, x) == x end),
      string.format("%.0f of %d in v4.0, %.0f in v6.12; %.0f dentries in all",
                    r:mean(inside, "v4.0"), r.x[#r.x], r:mean(inside, "v6.12"),
                    r:mean(lost, "v4.0"))
  end },
  { "and nowhere else: the other tree is left alone", function(r)
    return each(r, function(s, x) return r:mean(outside, s, x) == 0 end),
      string.format("%.0f of %d cgroups in v4.0, %.0f in v6.12", r:mean(outside, "v4.0"), r.x[#r.x],
                    r:mean(outside, "v6.12"))
  end },
  { "before v4.0 a cgroup's limit makes no shrinker do anything", function(r)
    return r:mean(lost, "v3.19") == 0 and r:mean("refused again", "v3.19") == 1 and
      each(r, function(s, x) return r:mean("refused again", s, x) == 0 end),
      string.format("%.0f dentries taken in v3.19, and an allocation after that fails again",
                    r:mean(lost, "v3.19"))
  end },
}

-- @n cgroups, three below each.
local function grow(sim, t, name, n)
  local tree = {}
  for i = 1, n do
    local box = sim:cgroup(name .. i, tree[(i + 1) // 3] or sim.root)
    sim:create_child(sim.ext4, box)
    t:attach(box)
    t:lookup_many(sim.ext4, name .. i, NAMES)
    tree[i] = box
  end
  t:attach(sim.root)
  return tree
end

local function count(t, sim, tree)
  local n = {}
  for i, box in ipairs(tree) do n[i] = t:count_dentries(sim.ext4, box) end
  return n
end

-- How many cgroups have fewer than before.
local function fewer(before, after)
  local cgroups = 0
  for i, n in ipairs(before) do
    if after[i] < n then cgroups = cgroups + 1 end
  end
  return cgroups
end

return scenario {
  doc = "whose dentries a limit on a tree of cgroups takes",
  lifecycle = "v4.0",
  reclaim = true,
  options = { cgroups = { 9, "cgroups in each of two trees" } },
  cpus = 1,

  setup = function(sim, opt, t)
    sim.ext4 = sim:fs("ext4")
    sim.tree = grow(sim, t, "a", opt.cgroups)
    sim.other = grow(sim, t, "b", opt.cgroups)
  end,

  tasks = {
    task("user", function(t, sim, opt)
      local tree, other = count(t, sim, sim.tree), count(t, sim, sim.other)
      for _, list in ipairs { tree, other } do
        for _, n in ipairs(list) do t:measure("own", n) end
      end

      -- The limit is on the top of the tree, and whoever hits it is at the bottom.
      t:assert(t:set_max(sim.tree[1], 2 * opt.cgroups + ROOM), "there is too much already")
      t:attach(sim.tree[#sim.tree])
      local n, err = t:lookup_many(sim.ext4, "more", 30 * ROOM)
      t:attach(sim.root)
      t:assert(err == "ENOMEM", "the limit was never hit")
      tree[#tree] = tree[#tree] + n
      t:measure("inside", fewer(tree, count(t, sim, sim.tree)))
      t:measure("outside", fewer(other, count(t, sim, sim.other)))
      t:measure("lost", 2 * opt.cgroups * NAMES + n - t:fs_figures(sim.ext4).unused)

      t:sleep(ms(20)) -- what was shrunk is freed after a grace period
      t:attach(sim.tree[#sim.tree])
      local refused = t:lookup(sim.ext4, "again") == nil
      t:attach(sim.root)
      t:measure("refused", refused and 1 or 0)
    end),
  },

  expect = {
    { "v3.19", never = "*" },
    { "v4.0", never = { "assert", "list-lru", "use-after-free", "charge" } },
    { "v5.8", never = "*" },
    { "v6.12", never = "*" },
  },

  study = {
    title = "whose dentries the limit of a subtree takes",
    series = { "v3.19", "v4.0", "v4.18", "v5.8", "v5.10", "v6.12" },
    x = { set = "cgroups", values = { 1, 4, 13, 40 }, unit = "cgroups" },
    metrics = {
      { own, measured = "own", value = "mean", unit = "dentries" },
      { most, measured = "own", value = "max", unit = "dentries" },
      { inside, measured = "inside", unit = "cgroups" },
      { outside, measured = "outside", unit = "cgroups" },
      { lost, measured = "lost", unit = "dentries" },
      { "refused again", measured = "refused", unit = "times" },
    },
    claims = claims,
  },
}
