-- SPDX-License-Identifier: GPL-2.0-only
--
-- Names are looked up in a cgroup, a file of it is closed, a dentry of it is thrown out, while
-- the cgroup goes offline.  Does every item end up on the list of whoever inherits it, do the
-- counters agree, and can reclaim find the list?

local function pct(n) return { strategy = "pct", runs = n } end

local expect = {
  -- What the versions had.
  { "v4.0", set = { what = "count", before = 2 }, finds = "list-lru", explore = pct(1000) },
  { "v4.11", set = { what = "count", before = 2 }, finds = "list-lru", explore = pct(1000) },
  { "v4.18", set = { what = "count", before = 2 }, never = "*", explore = pct(2000) },
  { "v5.3", variant = { "none", "shrinker-bit-needs-zero" },
    set = { what = "invalidate", before = 2 }, finds = "list-lru", explore = pct(5000) },
  { "v5.9", variant = { "none", "shrinker-bit-needs-zero" },
    set = { what = "invalidate", before = 2 }, finds = "list-lru", explore = pct(5000) },
  { "v5.10", set = { what = "invalidate", before = 2 }, never = "*", explore = pct(5000) },
  -- And have, as it seems: nobody has reported it.
  { "v5.3", variant = { "none", "shrinker-bit-stale-memcg" }, finds = "list-lru",
    explore = pct(20000) },
  { "v6.12", variant = { "none", "shrinker-bit-stale-memcg" }, set = { what = "close" },
    finds = "list-lru", explore = pct(5000) },
}

for _, l in ipairs { "v5.3", "v5.10", "v6.1", "v6.12" } do
  expect[#expect + 1] = { l, set = { what = "close" }, finds = "list-lru", explore = pct(20000) }
end

-- What was merged for a while, proposed, or must not be left out.
local function broken(lifecycle, variant, set, checkers, runs)
  expect[#expect + 1] = { lifecycle, variant = { "none", variant }, set = set, finds = checkers,
                          explore = pct(runs) }
end

local close = { what = "close" }
local invalidate = { what = "invalidate", before = 2 }

for _, l in ipairs { "v5.10", "v6.1" } do
  broken(l, "lru-reparent-skip-empty", {}, { "list-lru" }, 20000)
  broken(l, "lru-reparent-skip-empty", close, { "list-lru", "use-after-free" }, 2000)
  broken(l, "lru-reparent-skip-unlocked", close, "list-lru", 50000)
end
for _, l in ipairs { "v4.0", "v4.18" } do
  broken(l, "lru-drain-before-reid", close, "list-lru", 5000)
end
for _, l in ipairs { "v4.0", "v5.3", "v6.1" } do
  broken(l, "lru-drain-recounts", invalidate, "list-lru", 5000)
end
broken("v6.1", "lru-alloc-stale-id", {}, "list-lru", 5000)
broken("v6.12", "slabobj-memcg-no-rcu", { what = "keep" }, "use-after-free", 5000)

-- With everything mended.
for _, l in ipairs { "v4.0", "v4.7", "v4.18", "v5.3", "v5.10", "v6.1", "v6.12" } do
  for _, what in ipairs { "lookup", "close", "keep", "invalidate", "count" } do
    expect[#expect + 1] = { l, variant = "none", set = { what = what, before = 2 }, never = "*",
                            explore = pct(1000) }
  end
end

return scenario {
  doc = "items come and go while their cgroup goes offline",
  reclaim = true,
  lifecycle = "v5.3",
  options = {
    before = { 0, "names looked up in the cgroup before" },
    what = { "lookup", "what happens meanwhile: lookup, close, keep, invalidate, count" },
  },
  cpus = 2,

  setup = function(sim, opt, t)
    sim.top = sim:cgroup("top")
    sim.box = sim:cgroup("box", sim.top)
    sim.ext4 = sim:fs("ext4", { keep_files = opt.what == "keep" })
    sim:create_child(sim.ext4, sim.box)
    t:attach(sim.box)
    if opt.what == "close" or opt.what == "keep" then
      t:create(sim.ext4, "log")
      sim.log_file = t:open(sim.ext4, "log")
      -- What is in use stays on the list until a walk finds it there.
      t:shrink_slab(sim.box)
      t:shrink_slab(sim.box)
    end
    t:lookup_many(sim.ext4, "old", opt.before)
    t:attach(sim.root)
  end,

  tasks = function(sim, opt)
    local user = opt.what == "lookup" and sim.box or sim.root
    local meanwhile = {
      lookup = function(t) t:lookup(sim.ext4, "new") end,
      close = function(t) t:close(sim.log_file) end,
      keep = function(t) t:close(sim.log_file) end,
      invalidate = function(t) t:invalidate(sim.ext4, "old.1") end,
      count = function(t) t:count_dentries(sim.ext4) end,
    }
    return {
      task("user", { cpu = 0, cgroup = user }, meanwhile[opt.what]),
      task("admin", { cpu = 1 }, function(t)
        t:attach(sim.root, sim:task("user"))
        t:rmdir(sim.box)
      end),
    }
  end,

  expect = expect,
}
