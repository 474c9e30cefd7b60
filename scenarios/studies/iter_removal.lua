-- SPDX-License-Identifier: GPL-2.0-only
--
-- A cgroup some levels down is removed while a walk of the whole tree stands on it
-- (scenarios/reclaim/removal_cost.lua).  What does the removal have to look at, in each design of
-- mem_cgroup_iter(), and how long does it take?
--
-- D1 and D5 are not here, though nothing is looked at in them: the walk keeps the removed cgroup,
-- and a run that leaks is no measurement.
--
-- The machine has two nodes with three zones, and a position for each zone and each of 13
-- priorities, as up to v4.4: 78 for each cgroup.  Times are short of the locks that D2 takes for
-- positions no walk has used: the model looks at all of those in one step.

local claims = {
  { "clean-up of positions (D2, D6) looks at 78 for each ancestor, up to the root", function(r)
    local ok, parts = true, {}
    for i, design in ipairs { "pinned-cleanup", "weak" } do
      for _, x in ipairs(r.x) do
        ok = ok and r:mean("positions", design, x) == 78 * (x + 1)
      end
      parts[i] = string.format("%s: %.0f at %d levels", design, r:mean("positions", design),
                               r.x[#r.x])
    end
    return ok, table.concat(parts, "; ")
  end },
  { "D2 takes a lock for each of them, D6 none", function(r)
    return r:mean("locks", "pinned-cleanup") == r:mean("positions", "pinned-cleanup") and
      r:mean("locks", "weak") == 0,
      string.format("%.0f and %.0f locks", r:mean("locks", "pinned-cleanup"),
                    r:mean("locks", "weak"))
  end },
  { "a count for each hierarchy (D4) costs one addition for each ancestor, one for the machine " ..
    "(D3) one in all", function(r)
    local ok = true
    for _, x in ipairs(r.x) do
      ok = ok and r:mean("counters", "dead-count", x) == x and
        r:mean("counters", "global-count", x) == 1
    end
    return ok, string.format("%.0f and %.0f at %d levels", r:mean("counters", "dead-count"),
                             r:mean("counters", "global-count"), r.x[#r.x])
  end },
  { "that is time with cgroup_mutex held: clean-up makes a removal longer with each level, " ..
    "counting hardly", function(r)
    local held, ok, parts = "cgroup_mutex held", true, {}
    for i, design in ipairs { "pinned-cleanup", "weak", "dead-count" } do
      local more = r:difference(held, design, "global-count")
      ok = ok and (design == "dead-count" and more.high < 2 or more.low > 10)
      parts[i] = string.format("%s %.1f us (%.1f to %.1f)", design, more.mean, more.low, more.high)
    end
    return ok, string.format("at %d levels, more than global-count: ", r.x[#r.x]) ..
      table.concat(parts, ", ")
  end },
}

return scenario {
  like = require "reclaim.removal_cost",

  expect = {
    { "v4.0", variant = "none", set = { iterator = "pinned-cleanup" }, never = "*" },
    { "v4.0", variant = "none", set = { iterator = "weak", depth = 16 }, never = "*" },
  },

  study = {
    title = "what the removal of a cgroup costs, by design of mem_cgroup_iter()",
    series = {
      { "css-id", set = { iterator = "css-id" } },
      { "pinned-cleanup", set = { iterator = "pinned-cleanup" } },
      { "global-count", set = { iterator = "global-count" } },
      { "dead-count", set = { iterator = "dead-count" } },
      { "weak", set = { iterator = "weak" } },
      { "weak-retry", set = { iterator = "weak-retry" } },
    },
    x = { set = "depth", values = { 1, 2, 4, 8, 16 }, unit = "levels" },
    metrics = {
      { "positions", measured = "positions" },
      { "locks", measured = "locks" },
      { "counters", measured = "counts" },
      { "cgroup_mutex held", hold = "cgroup_mutex", unit = "us" },
    },
    claims = claims,
  },
}
