-- SPDX-License-Identifier: GPL-2.0-only
--
-- A cgroup with a limit looks up names that do not exist.  Each leaves a negative dentry behind,
-- which is charged to it.  How many names can it look up, and who pays for them?
--
-- What was claimed when per-memcg shrinkers were posted in September 2014, in numbers: without
-- them a limit that is hit means ENOMEM for good; with them the cgroup's own old dentries make
-- room, and nobody else's; a limit on kernel memory alone, and allocations from inside a file
-- system (GFP_NOFS), are not helped.
--
-- v3.19 is the last version without such shrinkers.  "no shrinker" is v6.12 with shrinkers that
-- know of no memcg, so that nothing but them differs from v6.12.  Nobody is killed: from v4.19 on
-- the OOM killer would be asked before ENOMEM is returned, unless it is switched off as here.  Who
-- gets ENOMEM waits 20 ms and tries again, and gives up after five failures in a row.  What is
-- shrunk is freed by RCU, so that an allocation may fail although its shrinking has succeeded: the
-- second try finds the room.

local NAMES, NEIGHBOURS = 1200, 200
local LOST = { "v3.19", "seed2", "v4.0 kmem", "v4.0 nofs", "no shrinker" }
local SAVED = { "v4.0", "v4.18", "v5.8", "v5.10", "v6.12" }

local done, first = "names looked up", "before the first ENOMEM"
local own, others = "own dentries taken", "the neighbour's dentries taken"

-- All of @list at all limits?
local function each(r, list, holds)
  local ok = true
  for _, series in ipairs(list) do
    for _, x in ipairs(r.x) do ok = ok and holds(series, x) end
  end
  return ok
end

local function at(r, metric, list, x)
  local parts = {}
  for i, series in ipairs(list) do
    parts[i] = string.format("%s %.0f", series, r:mean(metric, series, x))
  end
  return table.concat(parts, ", ")
end

local claims = {
  { "without a shrinker that knows of memcgs, who hits the limit gets ENOMEM without any chance " ..
    "to recover", function(r)
    local lost = { "v3.19", "seed2", "no shrinker" }
    return each(r, lost, function(s, x)
      return r:below(done, s, NAMES, x) and r:mean(done, s, x) == r:mean(first, s, x) and
        r:mean(own, s, x) == 0
    end) and r:slope(done, "v3.19").r2 > 0.99,
      string.format("of %d names with %d pages: %s; %.1f for each page, and not one more after " ..
                    "the first ENOMEM", NAMES, r.x[1], at(r, done, lost, r.x[1]),
                    r:slope(done, "v3.19").mean)
  end },
  { "shrink_slab called at the limit reclaims old dentries of this cgroup, and it goes on",
    function(r)
    return each(r, SAVED, function(s, x)
      return r:mean(done, s, x) == NAMES and (r:mean(own, s, x) > 0 or
        r:mean(first, s, x) == NAMES)
    end),
      string.format("all %d names with %d pages; own dentries taken: %s", NAMES, r.x[1],
                    at(r, own, SAVED, r.x[1]))
  end },
  { "of this cgroup: its neighbour, with dentries of the same file system, loses none",
    function(r)
    return each(r, SAVED, function(s, x) return r:mean(others, s, x) == 0 end),
      string.format("0 of %d in each", NEIGHBOURS)
  end },
  { "only a limit on all memory does that: memory.kmem.limit shrinks nothing", function(r)
    return each(r, { "v4.0 kmem" }, function(s, x)
      return r:below(done, s, NAMES, x) and r:mean(done, s, x) == r:mean(first, s, x) and
        r:mean(own, s, x) == 0
    end), string.format("%s with %d pages of kernel memory, none taken", at(r, done,
                        { "v4.0 kmem" }, r.x[1]), r.x[1])
  end },
  { "why it would be tricky: from inside a file system (GFP_NOFS) shrinkers must not take " ..
    "dentries, at whatever limit", function(r)
    return each(r, { "v4.0 nofs" }, function(s, x)
      return r:below(done, s, NAMES, x) and r:mean(own, s, x) == 0
    end), string.format("%s with %d pages, none taken", at(r, done, { "v4.0 nofs" }, r.x[1]),
                        r.x[1])
  end },
}

return scenario {
  doc = "what a limit does to a cgroup that fills the dentry cache",
  lifecycle = "v4.0",
  reclaim = function(opt)
    return opt.shrinkers and {} or { list_lru = "global", shrinkers = "global" }
  end,
  options = {
    names = { NAMES, "names to look up" },
    limit = { 12, "pages that the cgroup may have" },
    counter = { "memory", "that the limit is on: memory, kmem" },
    flag = { "", "what the allocations may do: a flag of t:gfp()" },
    shrinkers = { true, "false: no shrinker knows of memcgs, whatever the lifecycle" },
    neighbours = { NEIGHBOURS, "dentries of another cgroup" },
  },
  cpus = 1,

  setup = function(sim, opt, t)
    sim.box, sim.quiet = sim:cgroup("box"), sim:cgroup("quiet")
    sim.ext4 = sim:fs("ext4")
    sim:create_child(sim.ext4, sim.box)
    sim:create_child(sim.ext4, sim.quiet)
    t:attach(sim.quiet)
    t:lookup_many(sim.ext4, "quiet", opt.neighbours)
    t:attach(sim.root)
  end,

  tasks = {
    task("indexer", { cgroup = "box" }, function(t, sim, opt)
      t:set_max(sim.box, opt.limit, opt.counter)
      if opt.flag ~= "" then t:gfp(opt.flag) end
      local found, before_first, refused, patience = 0, nil, 0, 5
      while found < opt.names and patience > 0 do
        local n, err = t:lookup_many(sim.ext4, "missing", opt.names - found, found + 1)
        found = found + n
        before_first = before_first or found
        patience = n > 0 and 5 or patience - 1
        if err then
          refused = refused + 1
          t:sleep(ms(20))
        end
      end
      local left = t:fs_figures(sim.ext4).unused
      -- A name that is still cached was not taken from its owner.
      local quiet = 0
      for i = 1, opt.neighbours do
        if t:invalidate(sim.ext4, "quiet." .. i) then quiet = quiet + 1 end
      end
      t:measure("names", found)
      t:measure("before", before_first)
      t:measure("refused", refused)
      t:measure("own", found + quiet - left)
      t:measure("others", opt.neighbours - quiet)
    end),
  },

  expect = {
    { "v3.19", never = "*" },
    { "v4.0", never = "*" },
    { "v4.0", set = { counter = "kmem" }, never = "*" },
    { "v4.0", set = { flag = "nofs" }, never = "*" },
    { "v6.12", never = "*" },
    { "v6.12", set = { shrinkers = false }, never = "*" },
  },

  study = {
    title = "a limit on a cgroup that fills the dentry cache",
    series = {
      "v3.19", "seed2", { "no shrinker", lifecycle = "v6.12", set = { shrinkers = false } },
      { "v4.0 kmem", lifecycle = "v4.0", set = { counter = "kmem" } },
      { "v4.0 nofs", lifecycle = "v4.0", set = { flag = "nofs" } },
      "v4.0", "v4.18", "v5.8", "v5.10", "v6.12",
    },
    x = { set = "limit", values = { 12, 24, 36 }, unit = "pages" },
    metrics = {
      { done, measured = "names", unit = "names" },
      { first, measured = "before", unit = "names" },
      { "ENOMEM", measured = "refused", unit = "times" },
      { own, measured = "own", unit = "dentries" },
      { others, measured = "others", unit = "dentries" },
    },
    claims = claims,
  },
}
