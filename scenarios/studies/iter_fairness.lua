-- SPDX-License-Identifier: GPL-2.0-only
--
-- Four cgroups of one hierarchy are reclaimed a little at a time, while cgroups come and go next
-- door or beside them (scenarios/reclaim/neighbour.lua).  How unfair does that make reclaim, with
-- each design of mem_cgroup_iter()?
--
-- What was argued on the list in February 2013, in numbers: a count of removals for the whole
-- machine lets anybody who may remove cgroups steer the reclaim of others, for each removal makes
-- the walk begin anew, with the first child.  The axis is how many of 100 turns of reclaim have a
-- removal before them, at random.  A fair share of four is 25 %.

local share, excess = "share of the most reclaimed child", "pages beyond its share"

local function at_all(r, holds)
  local ok = true
  for _, x in ipairs(r.x) do ok = ok and holds(x) end
  return ok
end

local claims = {
  { "with a count for the machine (D3) a neighbour decides who pays: the more removals, the " ..
    "more of all reclaim falls on one child, up to all of it", function(r)
    local slope = r:slope(share, "global-count")
    return slope.low > 0 and r:above(share, "global-count", 95, 100),
      string.format("%.0f %% with no removal, %.0f %% with one before every second turn, " ..
                    "%.0f %% with one before each: %.0f pages more than its share",
                    r:mean(share, "global-count", 0), r:mean(share, "global-count", 50),
                    r:mean(share, "global-count", 100), r:mean(excess, "global-count"))
  end },
  { "with a count for each hierarchy (D4) a neighbour changes nothing, but somebody inside does " ..
    "the same", function(r)
    return at_all(r, function(x) return r:below(share, "dead-count", 26, x) end) and
      r:above(share, "dead-count inside", 95, 100),
      string.format("%.0f %% and %.0f %% with a removal before each turn",
                    r:mean(share, "dead-count"), r:mean(share, "dead-count inside"))
  end },
  { "positions that are cleared where a removed cgroup stands (D2, D6, D7) are fair whatever is " ..
    "removed, next door or beside the four", function(r)
    local ok, most = true, 0
    for _, design in ipairs { "pinned-cleanup inside", "weak", "weak inside",
                              "weak-retry inside" } do
      ok = ok and at_all(r, function(x)
        most = math.max(most, r:mean(share, design, x))
        return r:below(share, design, 26, x)
      end)
    end
    return ok, string.format("at most %.1f %%", most)
  end },
  { "each restart of D3 is needless: the cgroup that the walk stood on is still there", function(r)
    local restarts = r:mean("restarts", "global-count")
    local needless = r:mean("needless restarts", "global-count")
    return restarts > 30 and needless == restarts and
      r:mean("restarts", "dead-count") == 0 and r:mean("restarts", "weak") == 0,
      string.format("%.0f of %.0f with a removal before each of 40 turns", needless, restarts)
  end },
}

return scenario {
  like = require "reclaim.neighbour",

  expect = {
    { "v5.3", set = { iterator = "global-count" }, never = "*" },
    { "v5.3", set = { iterator = "dead-count", inside = true }, never = "*" },
    { "v5.3", set = { iterator = "weak", inside = true, removals = 50 }, never = "*" },
  },

  study = {
    title = "fairness of reclaim while cgroups are removed",
    series = {
      { "css-id", set = { iterator = "css-id" } },
      { "pinned", set = { iterator = "pinned" } },
      { "pinned-cleanup", set = { iterator = "pinned-cleanup" } },
      { "pinned-cleanup inside", set = { iterator = "pinned-cleanup", inside = true } },
      { "global-count", set = { iterator = "global-count" } },
      { "dead-count", set = { iterator = "dead-count" } },
      { "dead-count inside", set = { iterator = "dead-count", inside = true } },
      { "pinned-cmpxchg", set = { iterator = "pinned-cmpxchg" } },
      { "weak", set = { iterator = "weak" } },
      { "weak inside", set = { iterator = "weak", inside = true } },
      { "weak-retry inside", set = { iterator = "weak-retry", inside = true } },
    },
    x = { set = "removals", values = { 0, 5, 10, 25, 50, 75, 100 }, unit = "removals" },
    metrics = {
      { share, measured = "most", per = { measured = "all" }, scale = 100, unit = "%" },
      { excess, measured = "excess", unit = "pages" },
      { "restarts", measured = "restarts" },
      { "needless restarts", measured = "needless" },
    },
    claims = claims,
  },
}
