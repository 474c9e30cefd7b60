-- SPDX-License-Identifier: GPL-2.0-only
--
-- The scenario library: what scripts see besides the operations of a task, and
-- the checks that turn a slip of the pen into a message with a file and a line.
--
-- Loaded into each run's Lua state with the functions of lua/*.c as its argument.

local core = ...
local fail, kind, describe = core.fail, core.kind, core.describe
local next, type, select, rawget, rawset = next, type, select, rawget, rawset
local setmetatable, getmetatable, rawequal = setmetatable, getmetatable, rawequal
local ipairs, tostring, tonumber = ipairs, tostring, tonumber
local string, table, math = string, table, math

-- Tables that scripts can reach must not be used here: they may have been changed.
local sub, byte, find, format = string.sub, string.byte, string.find, string.format
local concat, min = table.concat, math.min
local tointeger, mathtype = math.tointeger, math.type
local floor, maxinteger, sqrt, huge = math.floor, math.maxinteger, math.sqrt, math.huge

-- ---- order ----------------------------------------------------------------------

-- A stable merge sort: Lua's own looks at the clock when it picks a pivot.
local function sort(list, less)
  local n = #list
  local from, to = list, {}
  local width = 1
  while width < n do
    for low = 1, n, 2 * width do
      local i, mid, high = low, min(low + width, n + 1), min(low + 2 * width, n + 1)
      local j = mid
      for k = low, high - 1 do
        if i < mid and (j >= high or not less(from[j], from[i])) then
          to[k] = from[i]
          i = i + 1
        else
          to[k] = from[j]
          j = j + 1
        end
      end
    end
    from, to = to, from
    width = 2 * width
  end
  if from ~= list then
    for i = 1, n do list[i] = from[i] end
  end
end

local function plain_less(a, b) return a < b end

local function sort_for_scripts(list, less)
  if type(list) ~= "table" then fail("table.sort: expected an array, got " .. describe(list)) end
  if less ~= nil and type(less) ~= "function" then
    fail("table.sort: expected a function that compares, got " .. describe(less))
  end
  for i = 1, #list do
    if list[i] == nil then fail("table.sort: the array has a hole at " .. i) end
  end
  sort(list, less or plain_less)
end

local rank = { number = 1, string = 2, boolean = 3 }

local function key_less(a, b)
  local ra, rb = rank[type(a)], rank[type(b)]
  if ra ~= rb then return ra < rb end
  if ra == 3 then return not a and b end
  return a < b
end

local function sorted_keys(t, what)
  local keys, n, sorted = {}, 0, true
  for k in next, t do
    if not rank[type(k)] then
      fail(what .. ": a table with " .. describe(k) .. " as a key has no order; use an array")
    end
    if n > 0 and sorted and not key_less(keys[n], k) then sorted = false end
    n = n + 1
    keys[n] = k
  end
  if not sorted then sort(keys, key_less) end
  return keys
end

-- Numbers first, then strings, then booleans.
local function pairs(t)
  local meta = type(t) == "table" and getmetatable(t)
  if type(t) ~= "table" then fail("pairs: expected a table, got " .. describe(t)) end
  if type(meta) == "table" and rawget(meta, "__pairs") then return meta.__pairs(t) end
  local keys, i = sorted_keys(t, "pairs"), 0
  return function()
    while true do
      i = i + 1
      local k = keys[i]
      if k == nil then return nil end
      local v = rawget(t, k)
      if v ~= nil then return k, v end
    end
  end, t, nil
end

local function sorted_next(t, key)
  if type(t) ~= "table" then fail("next: expected a table, got " .. describe(t)) end
  local best
  for k in next, t do
    if not rank[type(k)] then
      fail("next: a table with " .. describe(k) .. " as a key has no order; use an array")
    end
    if (key == nil or key_less(key, k)) and (best == nil or key_less(k, best)) then best = k end
  end
  if best == nil then return nil end
  return best, rawget(t, best)
end

-- ---- did you mean? -----------------------------------------------------------------

local function distance(a, b)
  local row = {}
  local before
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local new = { [0] = i }
    for j = 1, #b do
      local same = byte(a, i) == byte(b, j) and 0 or 1
      new[j] = min(row[j] + 1, new[j - 1] + 1, row[j - 1] + same)
      if before and j > 1 and byte(a, i) == byte(b, j - 1) and byte(a, i - 1) == byte(b, j) then
        new[j] = min(new[j], before[j - 2] + 1)
      end
    end
    before, row = row, new
  end
  return row[#b]
end

-- A third of the letters may be wrong; of a short word, one.
local function closest(name, names)
  local best, found = min(#name, 40) // 3 + 1, nil
  if best < 2 then best = 2 end
  for _, other in ipairs(names) do
    local d = distance(sub(name, 1, 40), other)
    if #name >= 3 and sub(other, 1, #name) == name then d = min(d, 1) end
    if d < best then best, found = d, other end
  end
  return found
end

local function did_you_mean(name, names)
  local found = closest(name, names)
  if found then return "; did you mean '" .. found .. "'?" end
  if #names == 0 then return "; there are none" end
  return "; there are: " .. concat(names, ", ")
end

-- Called for task.KEY, cache.KEY, ... when there is no such operation.
local function unknown(kind_name, key, methods)
  if type(key) ~= "string" then fail("a " .. kind_name .. " is no array") end
  local names = sorted_keys(methods, "")
  if kind_name == "task" then
    fail("there is no operation t:" .. key .. did_you_mean(key, names))
  end
  fail("a " .. kind_name .. " has no '" .. key .. "'" .. did_you_mean(key, names))
end

-- ---- checking what a script hands over -----------------------------------------------

local nouns = {
  string = "a string", integer = "a whole number", table = "a table", boolean = "true or false",
  ["function"] = "a function", task = "a task", cgroup = "a cgroup", cache = "a cache",
  object = "an object", event = "an event", swap = "pages in swap", fs = "a file system",
  file = "an open file", waitqueue = "a waitqueue",
  number = "a number",
}

local function expect_kind(what, value, wanted)
  if kind(value) ~= wanted then
    fail(what .. ": expected " .. nouns[wanted] .. ", got " .. describe(value))
  end
  return value
end

local function expect_integer(what, value, low, high)
  local n = mathtype(value) and tointeger(value)
  if not n then fail(what .. ": expected a whole number, got " .. describe(value)) end
  if n < low or n > high then
    fail(format("%s: expected %d to %d, got %d", what, low, high, n))
  end
  return n
end

local function expect_fields(what, t, allowed)
  expect_kind(what, t, "table")
  for _, key in ipairs(sorted_keys(t, what)) do
    if type(key) ~= "string" then
      fail(what .. ": expected fields with names, got " .. describe(t[key]) ..
           " without one; write NAME = ...")
    end
    local known = false
    for _, name in ipairs(allowed) do known = known or name == key end
    if not known then
      fail(what .. ": unknown field '" .. key .. "'" .. did_you_mean(key, allowed))
    end
  end
end

local function expect_array(what, t)
  expect_kind(what, t, "table")
  local n = #t
  for _, key in ipairs(sorted_keys(t, what)) do
    if mathtype(key) ~= "integer" or key < 1 or key > n then
      fail(what .. ": expected an array, got the key " .. describe(key))
    end
  end
  return t
end

local function expect_name(what, value, names, noun)
  expect_kind(what, value, "string")
  for _, name in ipairs(names) do
    if name == value then return value end
  end
  fail(what .. ": unknown " .. noun .. " '" .. value .. "'" .. did_you_mean(value, names))
end

local function expect_variant(what, value)
  expect_kind(what, value, "string")
  if value == "none" then return value end
  local off = sub(value, 1, 1) == "-"
  expect_name(what, off and sub(value, 2) or value, core.variants, "variant")
  return value
end

-- ---- units -----------------------------------------------------------------------------

local function unit(name, factor)
  return function(x)
    if not mathtype(x) then fail(name .. ": expected a number, got " .. describe(x)) end
    if not (x >= 0 and x <= maxinteger // factor) then
      fail(name .. ": expected a time of 0 to 292 years, got " .. describe(x))
    end
    if mathtype(x) == "integer" then return x * factor end
    return floor(x * factor + 0.5)
  end
end

-- ---- tasks ------------------------------------------------------------------------------

local TASK, COPIES, SCENARIO = {}, {}, {}

local function task_spec(what, name, opts, fn)
  if fn == nil and type(opts) == "function" then opts, fn = {}, opts end
  expect_kind(what .. ": the name", name, "string")
  what = what .. " '" .. name .. "'"
  expect_fields(what, opts, { "cpu", "cgroup" })
  if opts.cpu ~= nil then expect_integer(what .. ": cpu", opts.cpu, 0, 63) end
  if opts.cgroup ~= nil and kind(opts.cgroup) ~= "cgroup" then
    expect_kind(what .. ": cgroup", opts.cgroup, "string")
  end
  expect_kind(what .. ": what it does", fn, "function")
  return { name = name, cpu = opts.cpu, cgroup = opts.cgroup, fn = fn }
end

local function task(name, opts, fn)
  return setmetatable(task_spec("task", name, opts, fn), TASK)
end

-- Tasks that can be exchanged, each copy with what is its own.
local function copies(n, make)
  expect_integer("copies: how many", n, 1, 64)
  expect_kind("copies: what makes the tasks of one", make, "function")
  return setmetatable({ n = n, make = make }, COPIES)
end

-- ---- scenario{} -----------------------------------------------------------------------------

local preempt_models = { "none", "voluntary", "full" }

local function cost_of(costs, name)
  local cost = costs[name]
  if type(cost) == "table" then cost = cost[1] end
  return cost or core.default_costs[name]
end

-- Each slice begins with the switch: one that is over by then gets nobody anywhere.
local function check_timeslice(costs)
  local slice, switch = cost_of(costs, "timeslice"), cost_of(costs, "context_switch")
  if slice <= switch then
    fail(format("costs.timeslice: expected more than costs.context_switch, which is %d ns, "
      .. "got %d ns: tasks that share a CPU would switch for ever", switch, slice))
  end
end

local function check_costs(costs)
  local list = {}
  if costs == nil then return list end
  expect_fields("costs", costs, core.costs)
  for i, name in ipairs(core.costs) do
    local cost, what = costs[name], "costs." .. name
    if type(cost) == "table" then
      if #expect_array(what, cost) ~= 2 then
        fail(what .. ": expected { ns, jitter in percent }, got " .. #cost .. " values")
      end
      list[#list + 1] = {
        index = i - 1,
        ns = expect_integer(what .. ": ns", cost[1], 0, 1 << 50),
        jitter = expect_integer(what .. ": jitter", cost[2], 0, 100),
      }
    elseif cost ~= nil then
      list[#list + 1] =
        { index = i - 1, ns = expect_integer(what, cost, 0, 1 << 50), jitter = -1 }
    end
  end
  check_timeslice(costs)
  return list
end

local function check_options(options)
  for _, name in ipairs(sorted_keys(options, "options")) do
    local what = "options." .. tostring(name)
    if type(name) ~= "string" or not find(name, "^[%a_][%w_]*$") then
      fail("options: expected names as keys, got " .. describe(name))
    end
    local option = expect_kind(what, options[name], "table")
    for _, key in ipairs(sorted_keys(option, what)) do
      if key ~= 1 and key ~= 2 and key ~= "least" then
        fail(what .. ": unknown field " .. describe(key) .. "; there is only 'least'")
      end
    end
    if #option ~= 2 or type(option[2]) ~= "string" then
      fail(what .. ": expected { default, \"what it is\" }")
    end
    if option.least ~= nil then
      expect_integer(what .. ": the default, if there is a least value", option[1],
                     -maxinteger, maxinteger)
      expect_integer(what .. ": least", option.least, -maxinteger, option[1])
    end
    local k = kind(option[1])
    if k ~= "integer" and k ~= "number" and k ~= "string" and k ~= "boolean" then
      fail(what .. ": expected a number, string or boolean as the default, got " ..
           describe(option[1]))
    end
  end
end

-- What is expected becomes a plain record for lua/expect.c, whatever way it was written in.

local claims = { "never", "sometimes", "always", "finds", "replay", "golden" }
local expect_names =
  { "explore", "keeps", "order", "race", "runs", "seed", "set", "skip", "variant" }
for i = 1, #claims do expect_names[#expect_names + 1] = claims[i] end
local explore_names = { "depth", "max_time", "preemptions", "runs", "strategy" }
local run_orders = { "timed", "ties", "random" }

-- A name, or an array of names.
local function names_of(what, value, check)
  local list = type(value) == "table" and expect_array(what, value) or { value }
  local names = {}
  if #list == 0 then fail(what .. ": expected a name or several, got none") end
  for i, name in ipairs(list) do names[i] = check(what, name) end
  return names
end

local function expect_checkers(what, value)
  if value == "*" then return {} end
  return names_of(what, value, function(at, name)
    return expect_name(at, name, core.checkers, "checker")
  end)
end

local function expect_set(what, set, options)
  local list = {}
  for i, name in ipairs(sorted_keys(expect_kind(what, set or {}, "table"), what)) do
    if type(name) ~= "string" or not options[name] then
      fail(what .. ": unknown parameter '" .. tostring(name) .. "'" ..
           did_you_mean(tostring(name), sorted_keys(options, "options")))
    end
    local value, wanted = set[name], kind(options[name][1])
    if wanted == "number" and kind(value) == "integer" then wanted = "integer" end
    list[i] = name .. "=" .. tostring(expect_kind(what .. "." .. name, value, wanted))
  end
  return list
end

local function expect_explore(what, e)
  expect_fields(what, e, explore_names)
  local seconds = e.max_time
  if seconds ~= nil and not (mathtype(seconds) and seconds > 0 and seconds <= 86400) then
    fail(what .. ": max_time: expected seconds, up to 86400, got " .. describe(seconds))
  end
  local strategy =
    expect_name(what .. ": strategy", e.strategy or "auto", core.strategies, "strategy")
  if (strategy == "random" or strategy == "pct") and not (e.runs or e.max_time) then
    fail(what .. ": " .. strategy .. " has no end of its own; say runs = N")
  end
  return {
    strategy = strategy,
    runs = e.runs ~= nil and expect_integer(what .. ": runs", e.runs, 1, 1000000000) or 0,
    max_time = seconds or 0,
    preemptions = expect_integer(what .. ": preemptions", e.preemptions or 2, 0, 1000),
    depth = expect_integer(what .. ": depth", e.depth or 0, 0, 16),
  }
end

local function claim_of(what, e)
  local claim
  for _, name in ipairs(claims) do
    if e[name] ~= nil then
      if claim then fail(what .. ": " .. claim .. " and " .. name .. " are two expectations") end
      claim = name
    end
  end
  if not claim then
    fail(what .. ": expected one of " .. concat(claims, ", ") ..
         ", as in { \"v5.3\", never = \"leak\" }")
  end
  return claim
end

-- Beside the scenario or below it: --bless writes there.
local function expect_file(what, name)
  expect_kind(what, name, "string")
  if not find(name, "^[%w_][%w_./-]*$") or find(name, "..", 1, true) then
    fail(what .. ": expected the name of a file beside the scenario, got " .. describe(name))
  end
  return name
end

local function expectation(what, e, options)
  expect_kind(what, e, "table")
  expect_name(what .. ": the lifecycle", e[1], core.lifecycles, "lifecycle")
  local named = {}
  for k, v in next, e do
    if k ~= 1 then named[k] = v end
  end
  expect_fields(what, named, expect_names)

  local claim = claim_of(what, e)
  local is_file = claim == "replay" or claim == "golden"
  if e.explore and (is_file or e.runs or e.order) then
    fail(what .. ": explore goes with " .. concat(claims, ", ", 1, 4) ..
         ", and not with runs or order beside it")
  end
  if is_file and e.runs then fail(what .. ": " .. claim .. " is one run; leave runs out") end
  if claim == "replay" and (e.set or e.seed or e.order) then
    fail(what .. ": replay: the schedule says set, seed and order; leave them out")
  end
  if e.race and claim ~= "replay" then fail(what .. ": race is the table of a replay") end
  if e.keeps and not (claim == "finds" and e.explore) then
    fail(what .. ": keeps goes with finds and explore: it says where what was found is kept")
  end
  what = what .. ": "
  return {
    claim = claim,
    lifecycle = e[1],
    checkers = is_file and {} or expect_checkers(what .. claim, e[claim]),
    file = is_file and expect_file(what .. claim, e[claim]) or nil,
    race = e.race ~= nil and expect_file(what .. "race", e.race) or nil,
    keeps = e.keeps ~= nil and expect_file(what .. "keeps", e.keeps) or nil,
    variants = e.variant ~= nil and names_of(what .. "variant", e.variant, expect_variant) or {},
    sets = expect_set(what .. "set", e.set, options),
    skip = e.skip ~= nil and expect_kind(what .. "skip", e.skip, "string") or nil,
    order = expect_name(what .. "order", e.order or "timed", run_orders, "order"),
    seed = expect_integer(what .. "seed", e.seed or 1, 0, maxinteger),
    runs = expect_integer(what .. "runs", e.runs or 1, 1, 1000000000),
    explore = e.explore ~= nil and expect_explore(what .. "explore", e.explore) or nil,
  }
end

-- What was found and kept has to come back: a test more, which knows how to find it again.
local function kept(found)
  local e = {}
  for k, v in next, found do e[k] = v end
  e.claim, e.file, e.race = "replay", found.keeps .. ".sched", found.keeps .. ".race.txt"
  return e
end

-- A scenario that expects nothing is expected to be clean.
local function check_expect(s, expect)
  local list = {}
  for i, entry in ipairs(expect_array("expect", expect or {})) do
    local e = expectation("expect[" .. i .. "]", entry, s.options)
    list[#list + 1] = e
    if e.keeps then list[#list + 1] = kept(e) end
  end
  if #list == 0 then list[1] = expectation("expect", { s.lifecycle, never = "*" }, s.options) end
  return list
end

local reclaim_fields = {
  "hierarchy", "iterator", "list_lru", "map_bits", "nodes", "offline_at_rmdir", "shrinkers",
  "zones",
}
local list_lru_forms = { "global", "arrays", "xarray" }
local shrinker_forms = { "global", "walk", "map", "info" }

-- Its place in the list; 0 for the generation's.
local function form_of(what, value, forms, noun)
  if value == nil or value == "" then return 0 end
  expect_name(what, value, forms, noun)
  for i, name in ipairs(forms) do
    if name == value then return i end
  end
end

-- What the core is told: an iterator by its place in the list, 0 for the generation's.
local function reclaim_spec(reclaim)
  if reclaim == nil or reclaim == false then return false end
  if reclaim == true then reclaim = {} end
  expect_fields("reclaim", reclaim, reclaim_fields)
  local s = { iterator = 0, nodes = 1, zones = 1, hierarchy = reclaim.hierarchy ~= false }
  local name = reclaim.iterator
  if name ~= nil and name ~= "" then
    expect_name("reclaim.iterator", name, core.iterators, "iterator")
    for i, known in ipairs(core.iterators) do
      if known == name then s.iterator = i end
    end
  end
  if reclaim.hierarchy ~= nil then
    expect_kind("reclaim.hierarchy", reclaim.hierarchy, "boolean")
  end
  if reclaim.offline_at_rmdir ~= nil then
    s.offline_at_rmdir =
      expect_kind("reclaim.offline_at_rmdir", reclaim.offline_at_rmdir, "boolean")
  end
  if reclaim.nodes ~= nil then s.nodes = expect_integer("reclaim.nodes", reclaim.nodes, 1, 8) end
  if reclaim.zones ~= nil then s.zones = expect_integer("reclaim.zones", reclaim.zones, 1, 4) end
  s.list_lru = form_of("reclaim.list_lru", reclaim.list_lru, list_lru_forms, "form of list_lru")
  s.shrinkers =
    form_of("reclaim.shrinkers", reclaim.shrinkers, shrinker_forms, "form of shrinkers")
  s.map_bits = expect_integer("reclaim.map_bits",
                              reclaim.map_bits == nil and 64 or reclaim.map_bits, 1, 64)
  return s
end

-- A table, true, or a function of the options, which are not known yet.
local function check_reclaim(reclaim)
  if type(reclaim) == "function" then return reclaim end
  if reclaim ~= nil and type(reclaim) ~= "boolean" and type(reclaim) ~= "table" then
    fail("reclaim: expected true, a table or a function(opt) that returns one, got " ..
         describe(reclaim))
  end
  return reclaim_spec(reclaim)
end

local function check_orders(orders)
  for i, order in ipairs(expect_array("orders", orders)) do
    local what = "orders[" .. i .. "]"
    for j, site in ipairs(expect_array(what, order)) do
      expect_kind(what .. "[" .. j .. "]", site, "string")
    end
  end
end

local function check_tasks(tasks, cpus, within_copies)
  for i, spec in ipairs(expect_array("tasks", tasks)) do
    local is = type(spec) == "table" and getmetatable(spec)
    if is == COPIES and within_copies then
      fail("copies: the tasks of a copy cannot be copies themselves")
    end
    if is ~= TASK and is ~= COPIES then
      fail("tasks[" .. i .. "]: expected task(\"name\", { ... }, function(t, sim) ... end), " ..
           "got " .. describe(spec))
    end
    if spec.cpu and spec.cpu >= cpus then
      fail(format("task '%s': cpu %d does not exist; the scenario has %d, numbered from 0",
                  spec.name, spec.cpu, cpus))
    end
  end
  return tasks
end

local fields = {
  "costs", "cpus", "doc", "expect", "faults", "lifecycle", "like", "options", "ordering", "orders",
  "perf_event", "preempt", "reclaim", "setup", "statistics", "study", "tasks", "upstream",
  "variants",
}

-- What is left out is as in the other scenario; what that one expects is its own affair.
local function fill_in(what, spec)
  expect_fields(what, spec, fields)
  local like = spec.like
  if like == nil then return spec end
  if type(like) ~= "table" or getmetatable(like) ~= SCENARIO or like.what ~= what then
    fail("like: expected another " .. what .. ", as in like = require \"folder.name\", got " ..
         describe(like))
  end
  local filled = {}
  for k, v in next, like.spec do filled[k] = v end
  filled.expect = nil
  for k, v in next, spec do filled[k] = v end
  return filled
end

-- Few scripts have one: the others do without that part of the library.
local function check_study(study, options)
  if study == nil then return nil end
  return core.load("study", core, {
    did_you_mean = did_you_mean, expect_array = expect_array, expect_fields = expect_fields,
    expect_integer = expect_integer, expect_kind = expect_kind, expect_name = expect_name,
    expect_set = expect_set, expect_variant = expect_variant, names_of = names_of,
    sorted_keys = sorted_keys,
  }, {
    concat = concat, find = find, format = format, getmetatable = getmetatable, huge = huge,
    ipairs = ipairs, mathtype = mathtype, next = next, select = select,
    setmetatable = setmetatable, sqrt = sqrt, tostring = tostring, type = type,
  }).check(study, options)
end

-- A number, or a function of the options, which are not known yet.
local function check_cpus(cpus)
  if type(cpus) == "function" then return cpus end
  return expect_integer("cpus", cpus, 1, 64)
end

-- True or false, or a function of the options that says which.
local function check_flag(what, flag)
  if flag == nil then return false end
  if type(flag) == "function" then return flag end
  return expect_kind(what, flag, "boolean")
end

local function build(what, spec, default_cpus)
  local s = {
    what = what,
    spec = spec,
    doc = expect_kind("doc", spec.doc or "", "string"),
    lifecycle = expect_name("lifecycle", spec.lifecycle or "v5.3", core.lifecycles, "lifecycle"),
    variants = {},
    cpus = check_cpus(spec.cpus == nil and default_cpus or spec.cpus),
    faults = expect_integer("faults", spec.faults == nil and 0 or spec.faults, 0, 1000000),
    costs = check_costs(spec.costs),
    options = expect_kind("options", spec.options or {}, "table"),
    setup = spec.setup,
    statistics = expect_kind("statistics", spec.statistics or false, "boolean"),
    tasks = spec.tasks or {},
    reclaim = check_reclaim(spec.reclaim),
    perf_event = check_flag("perf_event", spec.perf_event),
  }
  expect_kind("upstream", spec.upstream or "", "string")
  for i, name in ipairs(expect_array("variants", spec.variants or {})) do
    s.variants[i] = expect_variant("variants", name)
  end
  local preempt = expect_name("preempt", spec.preempt or "full", preempt_models, "preemption model")
  for i, name in ipairs(preempt_models) do
    if name == preempt then s.preempt = i - 1 end
  end
  check_options(s.options)
  if s.setup ~= nil then expect_kind("setup", s.setup, "function") end
  if type(s.tasks) ~= "function" then check_tasks(s.tasks, mathtype(s.cpus) and s.cpus or 64) end
  s.expect = check_expect(s, spec.expect)
  check_orders(spec.orders or {})
  s.study = check_study(spec.study, s.options)
  if spec.ordering ~= nil then s.ordering = expect_kind("ordering", spec.ordering, "string") end
  if spec.setup == nil and spec.tasks == nil then
    fail(what .. ": expected tasks = { task(...), ... }, or setup = function(sim) ... end")
  end
  return setmetatable(s, SCENARIO)
end

local function scenario(spec)
  return build("scenario", fill_in("scenario", spec), 2)
end

-- A scenario whose tasks are kernel code, each with a CPU of its own.
local function model(spec)
  spec = fill_in("model", spec)
  local cpus = 2
  if type(spec.tasks) == "table" then
    cpus = min(64, #spec.tasks > 0 and #spec.tasks or 1)
  elseif type(spec.tasks) == "function" and spec.cpus == nil then
    fail("model: with a function for tasks, say how many CPUs they need: cpus = function(opt) " ..
         "return opt.n + 1 end")
  end
  local s = build("model", spec, cpus)
  s.model = true
  return s
end

local function check_scenario(s)
  if type(s) ~= "table" or getmetatable(s) ~= SCENARIO then
    fail("expected the script to end with: return scenario { ... }, or model { ... }; it " ..
         "returned " .. describe(s))
  end
  return s
end

-- ---- options: --set, --lifecycle, --variant ---------------------------------------------------

local booleans =
  { ["true"] = true, ["false"] = false, yes = true, no = false, ["1"] = true, ["0"] = false }

local function parse(name, text, default)
  local k = kind(default)
  local value, noun
  if k == "string" then
    return text
  elseif k == "boolean" then
    value, noun = booleans[text], "true or false"
  else
    value, noun = tonumber(text), "a number"
    if k == "integer" then
      value, noun = value and tointeger(value), "a whole number"
    end
  end
  if value == nil then
    fail("--set " .. name .. ": expected " .. noun .. ", got '" .. text .. "'")
  end
  return value
end

local function strict(what)
  return function(self, key)
    local names = {}
    for _, k in ipairs(sorted_keys(self, what)) do
      if type(k) == "string" then names[#names + 1] = k end
    end
    fail(what .. " has no '" .. tostring(key) .. "'" .. did_you_mean(tostring(key), names))
  end
end

local spec, options_of_run, sim

local function option_values(sets)
  local names, values = sorted_keys(spec.options, "options"), {}
  for _, name in ipairs(names) do values[name] = spec.options[name][1] end
  for _, set in ipairs(sets) do
    local at = find(set, "=", 1, true)
    if not at then fail("--set " .. set .. ": expected NAME=VALUE") end
    local name = sub(set, 1, at - 1)
    if values[name] == nil then
      fail("--set: unknown parameter '" .. name .. "'" .. did_you_mean(name, names))
    end
    values[name] = parse(name, sub(set, at + 1), spec.options[name][1])
  end
  return setmetatable(values, {
    __index = strict("opt"),
    __newindex = function(_, key)
      fail("opt." .. tostring(key) .. " cannot be set by the script; keep values in sim")
    end,
  })
end

-- ---- sim ----------------------------------------------------------------------------------------

local paths = {} -- "a/b" -> cgroup, or true while it is being made
local path_of = {} -- cgroup -> "a/b"

local task_methods = core.methods.task
local raw_mkdir, raw_rmdir, raw_create_cache, raw_spawn =
  task_methods.mkdir, task_methods.rmdir, task_methods.create_cache, task_methods.spawn
local raw_iterate = task_methods.iterate

local root -- the root cgroup

local function root_cgroup()
  root = root or core.root()
  return root
end

function task_methods.mkdir(t, name, parent)
  if parent ~= nil then expect_kind("t:mkdir: the parent", parent, "cgroup") end
  expect_kind("t:mkdir: the name", name, "string")
  if parent == root_cgroup() then parent = nil end
  local path = parent and path_of[parent] .. "/" .. name or name
  if paths[path] then return nil, "EEXIST" end
  paths[path] = true
  local cgroup, err = raw_mkdir(t, name, parent)
  paths[path] = cgroup
  if cgroup then path_of[cgroup] = path end
  return cgroup, err
end

function task_methods.rmdir(t, cgroup)
  local ok, err = raw_rmdir(t, cgroup)
  local path = path_of[cgroup]
  if ok and rawequal(paths[path], cgroup) then paths[path] = nil end
  return ok, err
end
task_methods.offline = task_methods.rmdir

local iterate_fields = { "max", "node", "priority", "shared", "zone" }

function task_methods.iterate(t, cgroup, opts)
  local what = "t:iterate"
  if opts == nil then opts = {} end
  expect_fields(what, opts, iterate_fields)
  local function number(field, default, low, high)
    local value = opts[field]
    if value == nil then return default end
    return expect_integer(what .. ": " .. field, value, low, high)
  end
  local shared = opts.shared
  if shared == nil then shared = true end
  expect_kind(what .. ": shared", shared, "boolean")
  return raw_iterate(t, cgroup, number("max", 1 << 40, 1, 1 << 40), number("priority", 12, 0, 12),
                     number("node", 0, 0, 7), number("zone", 0, 0, 3), shared)
end

local cache_fields =
  { "account", "merge", "object_size", "objects_per_slab", "typesafe_by_rcu" }

function task_methods.create_cache(t, name, opts)
  local what = "cache '" .. expect_kind("cache: the name", name, "string") .. "'"
  if opts == nil then opts = {} end
  expect_fields(what, opts, cache_fields)
  local size = expect_integer(what .. ": object_size in bytes",
                              opts.object_size == nil and 192 or opts.object_size, 8, 65536)
  local per_slab =
    expect_integer(what .. ": objects_per_slab", opts.objects_per_slab or 0, 0, 32768)
  local flags = 0
  local function flag(field, default, bit)
    local value = opts[field]
    if value == nil then value = default end
    if expect_kind(what .. ": " .. field, value, "boolean") then flags = flags | bit end
  end
  flag("account", true, 1)
  flag("typesafe_by_rcu", false, 2)
  flag("merge", false, 4)
  return raw_create_cache(t, name, size, per_slab, flags ~ 4) -- the flag says: do not merge
end

local function cgroup_named(what, cgroup)
  if type(cgroup) ~= "string" then return cgroup end
  local found = paths[cgroup]
  if kind(found) ~= "cgroup" then
    fail(what .. ": unknown cgroup '" .. cgroup .. "'" ..
         did_you_mean(cgroup, sorted_keys(paths, "")))
  end
  return found
end

local tasks_by_name = {}

local function spawn(t, s, wake)
  local what = "task '" .. s.name .. "'"
  if s.cpu and s.cpu >= core.nr_cpus() then
    fail(format("%s: cpu %d does not exist; the scenario has %d, numbered from 0", what, s.cpu,
                core.nr_cpus()))
  end
  local child = raw_spawn(t, s.name, s.cpu, cgroup_named(what, s.cgroup), s.fn, wake)
  tasks_by_name[s.name] = child
  return child
end

function task_methods.spawn(t, name, opts, fn)
  return spawn(t, task_spec("t:spawn", name, opts, fn), true)
end

local mount_fields = { "batch", "inode_size", "keep_files", "objects_per_slab", "seeks" }
local raw_mount, raw_shrink_slab = task_methods.mount, task_methods.shrink_slab

function task_methods.mount(t, name, opts)
  local what = "mount '" .. expect_kind("mount: the name", name, "string") .. "'"
  if opts == nil then opts = {} end
  expect_fields(what, opts, mount_fields)
  local function field(key, default, low, high)
    local value = opts[key]
    if value == nil then value = default end
    return expect_integer(what .. ": " .. key, value, low, high)
  end
  local keep = opts.keep_files
  if keep == nil then keep = false end
  expect_kind(what .. ": keep_files", keep, "boolean")
  return raw_mount(t, name, field("objects_per_slab", 0, 0, 32768),
                   field("inode_size", 1080, 64, 65536), field("seeks", 2, 0, 1000),
                   field("batch", 1024, 1, 1 << 40), keep)
end

local shrink_fields = { "fs", "priority" }

function task_methods.shrink_slab(t, cgroup, opts)
  local what = "t:shrink_slab"
  expect_kind(what .. ": the cgroup", cgroup, "cgroup")
  if opts == nil then opts = {} end
  expect_fields(what, opts, shrink_fields)
  local fs = opts.fs
  if fs == nil then fs = true end
  expect_kind(what .. ": fs", fs, "boolean")
  return raw_shrink_slab(t, cgroup,
    expect_integer(what .. ": priority", opts.priority == nil and 0 or opts.priority, 0, 12), fs)
end

local sim_methods = {}

local function in_setup(name, instead)
  local t = core.setup_task()
  if not t then fail("sim:" .. name .. " belongs into setup; in a task use " .. instead) end
  return t
end

local function must(what, value, err)
  if not value then fail(what .. " failed: " .. tostring(err)) end
  return value
end

function sim_methods.cgroup(_, name, parent)
  local t = in_setup("cgroup", "t:mkdir(name, parent)")
  return must("sim:cgroup('" .. tostring(name) .. "')", t:mkdir(name, parent))
end

function sim_methods.cache(_, name, opts)
  local t = in_setup("cache", "t:create_cache(name, { ... })")
  return must("sim:cache('" .. tostring(name) .. "')", t:create_cache(name, opts))
end

function sim_methods.fs(_, name, opts)
  local t = in_setup("fs", "t:mount(name, { ... })")
  return must("sim:fs('" .. tostring(name) .. "')", t:mount(name, opts))
end

function sim_methods.create_child(_, cache, cgroup)
  local t = in_setup("create_child", "t:create_child(cache, cgroup)")
  must("sim:create_child", t:create_child(cache, cgroup))
end

function sim_methods.event(_, name)
  return core.event(name)
end

for _, name in ipairs { "completion", "mutex", "rwsem", "waitqueue" } do
  local make = core[name]
  sim_methods[name] = function(_, called) return make(called) end
end

function sim_methods.cell(_, name, value) return core.cell(name, value) end
function sim_methods.work(_, name, fn) return core.work(name, fn) end
function sim_methods.refcount(_, name, n) return core.refcount(name, n) end
function sim_methods.percpu_ref(_, name, release) return core.percpu_ref(name, release) end

local function flag_of(what, opts, field)
  local value = opts[field]
  return value ~= nil and expect_kind(what .. ": " .. field, value, "boolean")
end

function sim_methods.spinlock(_, name, opts)
  opts = opts or {}
  expect_fields("sim:spinlock", opts, { "irqsafe" })
  return core.spinlock(name, flag_of("sim:spinlock", opts, "irqsafe"))
end

function sim_methods.workqueue(_, name, opts)
  opts = opts or {}
  local what = "sim:workqueue"
  expect_fields(what, opts, { "max_active", "ordered", "unbound" })
  local ordered = flag_of(what, opts, "ordered")
  local max = opts.max_active == nil and (ordered and 1 or 256) or opts.max_active
  expect_integer(what .. ": max_active", max, 1, 512)
  if ordered and max ~= 1 then
    fail(what .. ": an ordered workqueue runs one item at a time; leave max_active out")
  end
  return core.workqueue(name, ordered or flag_of(what, opts, "unbound"), max)
end

-- As the macro in the kernel: the condition is looked at once more after the task has queued.
function task_methods.wait_event(t, waitqueue, condition)
  expect_kind("t:wait_event: the waitqueue", waitqueue, "waitqueue")
  expect_kind("t:wait_event: the condition", condition, "function")
  if condition() then return end
  t:prepare_to_wait(waitqueue)
  while not condition() do
    t:schedule()
    t:prepare_to_wait(waitqueue)
  end
  t:finish_wait(waitqueue)
end

-- The task of that name that was created last.
function sim_methods.task(_, name)
  expect_kind("sim:task: the name", name, "string")
  local found = tasks_by_name[name]
  if not found then
    fail("sim:task: unknown task '" .. name .. "'" ..
         did_you_mean(name, sorted_keys(tasks_by_name, "")))
  end
  return found
end

function sim_methods.spawn(_, ...)
  return in_setup("spawn", "t:spawn(name, { ... }, fn)"):spawn(...)
end

function sim_methods.log(_, text)
  in_setup("log", "t:log(text)"):log(text)
end

-- What a script stores in sim stays readable after it was set to nil; a name that was never set
-- is a slip of the pen.
local function make_sim()
  local known = {}
  return setmetatable({ opt = options_of_run }, {
    __index = function(self, key)
      local method = sim_methods[key]
      if method then return method end
      if known[key] then return nil end
      local names = sorted_keys(sim_methods, "")
      for k in next, known do
        if type(k) == "string" then names[#names + 1] = k end
      end
      sort(names, plain_less)
      fail("sim has no '" .. tostring(key) .. "'" .. did_you_mean(tostring(key), names))
    end,
    __newindex = function(self, key, value)
      if type(key) == "string" and sim_methods[key] then
        fail("sim." .. key .. " is a function of the library; use another name")
      end
      known[key] = true
      rawset(self, key, value)
    end,
  })
end

-- What keeps the tasks in step is never left out, see lua/skip.h.
local in_step = {
  choice = true, join = true, log = true, now = true, random = true, signal = true, spawn = true,
  wait = true, wait_event = true,
}

local function count_operations()
  for _, name in ipairs(sorted_keys(task_methods, "")) do
    local fn = task_methods[name]
    if not in_step[name] and not core.model_operations[name] then
      task_methods[name] = core.wrap(function(t, ...)
        if core.skip_operation(t) then return nil end
        return fn(t, ...)
      end)
    end
  end
end

-- Called once the script is loaded and checked; returns opt and sim.
local function options(s, sets, lifecycle, variants, checks_off)
  spec = s
  if lifecycle then
    s.lifecycle = expect_name("--lifecycle", lifecycle, core.lifecycles, "lifecycle")
  end
  for _, name in ipairs(variants) do
    s.variants[#s.variants + 1] = expect_variant("--variant", name)
  end
  for _, name in ipairs(checks_off) do
    expect_name("--no-check", name, core.checkers, "checker")
  end
  options_of_run = option_values(sets)
  if type(s.cpus) == "function" then
    s.cpus = expect_integer("cpus", s.cpus(options_of_run), 1, 64)
  end
  if type(s.reclaim) == "function" then s.reclaim = reclaim_spec(s.reclaim(options_of_run)) end
  if type(s.perf_event) == "function" then
    s.perf_event = expect_kind("perf_event", s.perf_event(options_of_run), "boolean")
  end
  sim = make_sim()
  if core.counts_operations then count_operations() end
  return options_of_run, sim
end

local nr_started

local function start(t, s, name)
  core.start_later(spawn(t, { name = name, cpu = s.cpu or nr_started % spec.cpus,
                              cgroup = s.cgroup, fn = s.fn }, false))
  nr_started = nr_started + 1
end

-- What is made meanwhile is the copy's own.
local function start_copies(t, s)
  for nr = 1, s.n do
    core.begin_copy(nr == 1)
    for _, task_of in ipairs(check_tasks(s.make(sim, options_of_run), spec.cpus, true)) do
      start(t, task_of, task_of.name .. nr)
    end
    core.end_copy()
  end
end

-- What the setup task runs once the kernel has booted.
local function setup(t)
  local tasks = spec.tasks
  sim.root = root_cgroup()
  nr_started = 0
  if spec.setup then spec.setup(sim, options_of_run, t) end
  if type(tasks) == "function" then tasks = check_tasks(tasks(sim, options_of_run), spec.cpus) end
  for _, s in ipairs(tasks) do
    if getmetatable(s) == COPIES then start_copies(t, s) else start(t, s, s.name) end
  end
end

-- ---- what scripts see --------------------------------------------------------------------------

local globals = _G

local wrap = core.wrap

table.sort = wrap(sort_for_scripts)
globals.pairs = wrap(pairs)
globals.next = wrap(sorted_next)
globals.scenario = wrap(scenario)
globals.model = wrap(model)
globals.task = wrap(task)
globals.copies = wrap(copies)
globals.ns = wrap(unit("ns", 1))
globals.us = wrap(unit("us", 1000))
globals.ms = wrap(unit("ms", 1000000))
globals.s = wrap(unit("s", 1000000000))
for _, name in ipairs { "create_cache", "iterate", "mkdir", "mount", "offline", "rmdir",
                        "shrink_slab", "spawn", "wait_event" } do
  task_methods[name] = wrap(task_methods[name])
end
for _, name in ipairs(sorted_keys(sim_methods, "")) do
  sim_methods[name] = wrap(sim_methods[name])
end

setmetatable(globals, {
  __index = function(_, key)
    if type(key) ~= "string" then return nil end
    fail("unknown name '" .. key .. "'" ..
         (function()
           local found = closest(key, sorted_keys(globals, ""))
           return found and "; did you mean '" .. found .. "'?" or
             "; it is no local variable and nothing that the library defines"
         end)())
  end,
})

return { unknown = unknown, check_scenario = check_scenario, options = options, setup = setup }
