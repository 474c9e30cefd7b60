-- SPDX-License-Identifier: GPL-2.0-only
--
-- The study table of a scenario: checks that turn a slip of the pen into a message with a file and
-- a line, and what claims can ask of the figures.  Loaded only for scripts that have one.
--
-- What was written becomes plain records for lua/study_plan.c.

local core, lib, lua = ...
local fail, describe = core.fail, core.describe
-- By the time that this is loaded, the script may have changed what it can reach.
local ipairs, next, tostring, type = lua.ipairs, lua.next, lua.tostring, lua.type
local setmetatable, getmetatable, select = lua.setmetatable, lua.getmetatable, lua.select
local format, concat, find, mathtype, sqrt, huge =
  lua.format, lua.concat, lua.find, lua.mathtype, lua.sqrt, lua.huge

local SERIES_MAX, POINTS_MAX, METRICS_MAX = 64, 1000, 32

-- ---- units ------------------------------------------------------------------------------

local time_units = {
  ns = 1, us = 1000, ms = 1000000, s = 1000000000, min = 60 * 1000000000,
  h = 3600 * 1000000000, day = 86400 * 1000000000,
}
local time_names = { "ns", "us", "ms", "s", "min", "h", "day" }
local byte_units = { bytes = 1, KiB = 1024, MiB = 1024 * 1024 }
local byte_names = { "bytes", "KiB", "MiB" }

-- In a table of text with commas between, as a name or a unit stands there.
local function expect_text(what, value)
  lib.expect_kind(what, value, "string")
  if not find(value, "^[^%c,\"]+$") or #value > 60 then
    fail(what .. ": expected 1 to 60 characters without commas and quotes, got " ..
         describe(value))
  end
  return value
end

-- On a terminal: what would move its cursor has no place there.
local function expect_line(what, value)
  lib.expect_kind(what, value, "string")
  if value == "" or find(value, "%c") then
    fail(what .. ": expected a text in one line, got " .. describe(value))
  end
  return value
end

local function expect_positive(what, value)
  if not mathtype(value) or not (value > 0 and value < huge) then
    fail(what .. ": expected a number above 0, got " .. describe(value))
  end
  return value
end

-- ---- series and axis ----------------------------------------------------------------------

local function check_series(list, options)
  local series, names = {}, {}
  lib.expect_array("study.series", list)
  if #list == 0 or #list > SERIES_MAX then
    fail(format("study.series: expected 1 to %d, got %d", SERIES_MAX, #list))
  end
  for i, one in ipairs(list) do
    local what = "study.series[" .. i .. "]"
    if type(one) == "string" then one = { one, lifecycle = one } end
    lib.expect_kind(what, one, "table")
    local named = {}
    for k, v in next, one do
      if k ~= 1 then named[k] = v end
    end
    lib.expect_fields(what, named, { "lifecycle", "set", "variant" })
    local name = expect_text(what .. ": the name", one[1])
    if names[name] then fail(what .. ": '" .. name .. "' is a series already") end
    names[name] = true
    series[i] = { name = name, variants = {}, sets = {} }
    if one.lifecycle ~= nil then
      series[i].lifecycle =
        lib.expect_name(what .. ": lifecycle", one.lifecycle, core.lifecycles, "lifecycle")
    end
    if one.variant ~= nil then
      series[i].variants = lib.names_of(what .. ": variant", one.variant, lib.expect_variant)
    end
    series[i].sets = lib.expect_set(what .. ": set", one.set, options)
  end
  return series
end

local function parameter_axis(x, options)
  lib.expect_fields("study.x", x, { "set", "unit", "values" })
  local name = lib.expect_name("study.x.set", x.set, lib.sorted_keys(options, "options"),
                               "parameter")
  local values = lib.expect_array("study.x.values", x.values)
  if #values == 0 or #values > POINTS_MAX then
    fail(format("study.x.values: expected 1 to %d, got %d", POINTS_MAX, #values))
  end
  local axis = { parameter = name, unit = expect_text("study.x.unit", x.unit or name),
                 values = {}, sets = {} }
  for i, value in ipairs(values) do
    local what = "study.x.values[" .. i .. "]"
    if not mathtype(value) then fail(what .. ": expected a number, got " .. describe(value)) end
    if i > 1 and not (value > values[i - 1]) then
      fail(what .. ": expected more than the value before it, got " .. tostring(value))
    end
    axis.sets[i] = lib.expect_set(what, { [name] = value }, options)[1]
    axis.values[i] = value
  end
  return axis
end

local function time_axis(x)
  lib.expect_fields("study.x", x, { "every", "to", "unit" })
  local unit = lib.expect_name("study.x.unit", x.unit or "s", time_names, "unit of time")
  local every = lib.expect_integer("study.x.every", x.every, 1, 1 << 60)
  local to = lib.expect_integer("study.x.to", x.to, every, 1 << 60)
  if to // every >= POINTS_MAX then
    fail(format("study.x: %d samples; expected less than %d", to // every + 1, POINTS_MAX))
  end
  local axis = { every = every, unit = unit, values = {} }
  for i = 0, to // every do axis.values[i + 1] = i * every / time_units[unit] end
  return axis
end

local function check_axis(x, options)
  if x == nil then return { unit = "", values = { 0 } } end
  lib.expect_kind("study.x", x, "table")
  if x.set ~= nil then return parameter_axis(x, options) end
  if x.every ~= nil then return time_axis(x) end
  fail("study.x: expected { set = \"PARAMETER\", values = { ... } } or { every = TIME, to = TIME }")
end

-- ---- metrics --------------------------------------------------------------------------------

-- What can be asked of a source; the first one is meant if nothing is.
local values_of = {
  at = { "last" },
  count = { "count" },
  gauge = { "last", "max", "mean" },
  hold = { "sum", "max", "mean", "count" },
  wait = { "sum", "max", "mean", "count" },
  op = { "sum", "max", "mean", "count" },
  elapsed = { "last" },
  measured = { "last", "sum", "max", "mean", "count" },
}
local sources = { "at", "count", "elapsed", "gauge", "hold", "measured", "op", "wait" }
local timed = { at = true, elapsed = true, hold = true, op = true, wait = true }

local function source_of(what, m)
  local source
  for _, name in ipairs(sources) do
    if m[name] ~= nil then
      if source then fail(what .. ": " .. source .. " and " .. name .. " are two sources") end
      source = name
    end
  end
  return source or fail(what .. ": expected one of " .. concat(sources, ", ") ..
                        ", as in { \"dying cgroups\", gauge = \"dying_cgroups\" }")
end

local function operations()
  local names = lib.sorted_keys(core.methods.task, "")
  return names
end

local function check_measure(what, m)
  local source = source_of(what, m)
  local named = m[source]
  local measure = { source = source }
  what = what .. ": " .. source
  local of_events = source == "count" or source == "at"
  if of_events then
    measure.what = lib.expect_name(what, named, core.events, "event")
    if m.text ~= nil then measure.text = lib.expect_kind(what .. ": text", m.text, "string") end
  elseif source == "gauge" then
    measure.what = lib.expect_name(what, named, core.gauges, "gauge")
  elseif source == "op" then
    measure.what = lib.expect_name(what, named, operations(), "operation")
  elseif source == "elapsed" then
    if named ~= true then fail(what .. ": expected true, got " .. describe(named)) end
  else
    measure.what = expect_text(what, named)
  end
  if m.text ~= nil and not of_events then fail(what .. " has no 'text'; only events have") end
  if m.during ~= nil then
    if source == "elapsed" or source == "gauge" then fail(what .. " has no 'during'") end
    measure.during = lib.expect_name(what .. ": during", m.during, operations(), "operation")
  end
  measure.value = values_of[source][1]
  if m.value ~= nil then
    measure.value = lib.expect_name(what .. ": value", m.value, values_of[source], "value")
  end
  return measure
end

-- The unit in which a source speaks, and how to get from there to the one that is asked for.
local function unit_of(what, m, measure)
  local source = measure.source
  local is_time = timed[source] and measure.value ~= "count"
  local own = source == "gauge" and core.gauge_units[measure.what]
  if is_time then
    local unit = lib.expect_name(what .. ": unit", m.unit or "us", time_names, "unit of time")
    return unit, 1 / time_units[unit]
  elseif own == "bytes" then
    local unit = lib.expect_name(what .. ": unit", m.unit or own, byte_names, "unit of memory")
    return unit, 1 / byte_units[unit]
  end
  return expect_text(what .. ": unit", m.unit or own or "times"), 1
end

local measure_fields = { "during", "text", "value" }
for i = 1, #sources do measure_fields[#measure_fields + 1] = sources[i] end

local function check_metric(what, m)
  lib.expect_kind(what, m, "table")
  local named, allowed = {}, { "per", "scale", "unit" }
  for k, v in next, m do
    if k ~= 1 then named[k] = v end
  end
  for i = 1, #measure_fields do allowed[#allowed + 1] = measure_fields[i] end
  lib.expect_fields(what, named, allowed)
  local metric = { name = expect_text(what .. ": the name", m[1]) }
  metric.measure = check_measure(what, m)
  if m.per ~= nil then
    lib.expect_fields(what .. ": per", m.per, measure_fields)
    metric.per = check_measure(what .. ": per", m.per)
    if m.unit == nil then fail(what .. ": what is its unit? Say unit = \"... per ...\"") end
    metric.unit, metric.scale = expect_text(what .. ": unit", m.unit), 1
  else
    metric.unit, metric.scale = unit_of(what, m, metric.measure)
  end
  if m.scale ~= nil then
    metric.scale = metric.scale * expect_positive(what .. ": scale", m.scale)
  end
  return metric
end

local function check_metrics(list)
  local metrics, names = {}, {}
  lib.expect_array("study.metrics", list)
  if #list == 0 or #list > METRICS_MAX then
    fail(format("study.metrics: expected 1 to %d, got %d", METRICS_MAX, #list))
  end
  for i, m in ipairs(list) do
    local what = "study.metrics[" .. i .. "]"
    metrics[i] = check_metric(what, m)
    local name = metrics[i].name
    if names[name] then fail(what .. ": '" .. name .. "' is there already") end
    names[name] = true
  end
  return metrics
end

-- ---- claims ---------------------------------------------------------------------------------

local function check_claims(list)
  local claims = {}
  for i, claim in ipairs(lib.expect_array("study.claims", list)) do
    local what = "study.claims[" .. i .. "]"
    if #lib.expect_array(what, claim) ~= 2 then
      fail(what .. ": expected { \"what is claimed\", function(r) ... end }")
    end
    claims[i] = { text = expect_line(what .. "[1]", claim[1]),
                  holds = lib.expect_kind(what .. "[2]", claim[2], "function") }
  end
  if #claims == 0 then fail("study.claims: expected a claim that the figures can contradict") end
  return claims
end

local results = {}
results.__index = function(_, key)
  return results[key] or fail("a study's results have no '" .. tostring(key) .. "'" ..
    lib.did_you_mean(tostring(key), { "above", "below", "difference", "interval", "mean",
                                      "series", "slope", "x" }))
end

local function index_of(what, value, names)
  lib.expect_name(what, value, names, what)
  for i, name in ipairs(names) do
    if name == value then return i end
  end
end

local function point_of(r, x)
  if x == nil then return #r.x end
  for i, value in ipairs(r.x) do
    if value == x then return i end
  end
  local all = {}
  for i, value in ipairs(r.x) do all[i] = tostring(value) end
  fail("there is no point at x = " .. describe(x) .. "; there are: " .. concat(all, ", "))
end

local function cell_at(r, metric, series, i)
  local row = index_of("series", series, r.series)
  local cell = r.cells[index_of("metric", metric, r.metrics)][row][i]
  if cell.mean ~= cell.mean then
    fail(format("'%s' of '%s' has no value at x = %s", metric, series, tostring(r.x[i])))
  end
  return cell
end

local function own(r) return getmetatable(r) == results and r or fail("write r:mean(...)") end

-- The mean over all runs; at the last x if none is given.
function results.mean(r, metric, series, x)
  return cell_at(own(r), metric, series, point_of(r, x)).mean
end

-- Its confidence interval; with a single run that is the value itself.
function results.interval(r, metric, series, x)
  local cell = cell_at(own(r), metric, series, point_of(r, x))
  if cell.low ~= cell.low then return cell.mean, cell.mean end
  return cell.low, cell.high
end

-- Are the values of one series less than those of another one, or than a number?
function results.below(r, metric, series, other, x)
  local _, high = r:interval(metric, series, x)
  if mathtype(other) then return high < other end
  return high < (r:interval(metric, other, x))
end

function results.above(r, metric, series, other, x)
  if not mathtype(other) then return r:below(metric, other, series, x) end
  return (r:interval(metric, series, x)) > other
end

-- Mean and interval of a number for each run.
local function interval_of(r, values)
  local n, sum, squares = #values, 0, 0
  for i = 1, n do sum = sum + values[i] end
  local mean = sum / n
  for i = 1, n do squares = squares + (values[i] - mean) ^ 2 end
  local half = n > 1 and r.t * sqrt(squares / (n - 1) / n) or 0
  return { mean = mean, low = mean - half, high = mean + half }
end

-- Of a pair of runs with the same seed: what both of them owe to it is not in their difference.
function results.difference(r, metric, series, other, x)
  local i, values = point_of(own(r), x), {}
  local a, b = cell_at(r, metric, series, i).values, cell_at(r, metric, other, i).values
  for run = 1, #a do
    values[run] = a[run] - b[run]
    if values[run] ~= values[run] then
      fail("r:difference: a run has no value of '" .. metric .. "'")
    end
  end
  return interval_of(r, values)
end

-- Least squares over the points from..to of one run.
local function fit_one(r, from, to, value)
  local n, sx, sy, sxx, sxy, syy = 0, 0, 0, 0, 0, 0
  for i = from, to do
    local x, y = r.x[i], value(i)
    n, sx, sy = n + 1, sx + x, sy + y
    sxx, sxy, syy = sxx + x * x, sxy + x * y, syy + y * y
  end
  local dx, dxy, dy = n * sxx - sx * sx, n * sxy - sx * sy, n * syy - sy * sy
  return dxy / dx, dy > 0 and dxy * dxy / (dx * dy) or 1
end

-- How fast it grows: the mean of the runs' slopes, its interval, and how straight the means lie.
function results.slope(r, metric, series, from, to)
  local first, last = from and point_of(own(r), from) or 1, point_of(own(r), to)
  if last - first < 2 then fail("r:slope: a slope takes at least three points") end
  local slopes = {}
  for run = 1, #cell_at(r, metric, series, first).values do
    slopes[run] = fit_one(r, first, last, function(i)
      local v = cell_at(r, metric, series, i).values[run]
      return v == v and v or fail("r:slope: a run has no value of '" .. metric .. "'")
    end)
  end
  local slope = interval_of(r, slopes)
  slope.r2 = select(2, fit_one(r, first, last, function(i)
    return cell_at(r, metric, series, i).mean
  end))
  return slope
end

-- Called by lua/study_plan.c: what the claim says to the figures.
local function judge(study, i, data)
  local holds, figures = study.claims[i].holds(setmetatable(data, results))
  local what = "study.claims[" .. i .. "]: its function"
  if type(holds) ~= "boolean" then
    fail(what .. " must return true or false first, got " .. describe(holds))
  end
  if type(figures) ~= "string" or find(figures, "%c") then
    fail(what .. " must return the figures as a string in one line second, got " ..
         describe(figures))
  end
  return holds, figures
end

local fields = { "claims", "metrics", "replications", "series", "title", "x" }

local function check(study, options)
  lib.expect_fields("study", study, fields)
  local replications = study.replications == nil and 5 or study.replications
  return {
    title = expect_line("study.title", study.title),
    series = check_series(study.series, options),
    x = check_axis(study.x, options),
    metrics = check_metrics(study.metrics),
    claims = check_claims(study.claims),
    replications = lib.expect_integer("study.replications", replications, 1, 10000),
    judge = judge,
  }
end

return { check = check }
