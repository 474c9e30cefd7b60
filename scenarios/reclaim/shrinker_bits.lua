-- SPDX-License-Identifier: GPL-2.0-only
--
-- A bit says that a cgroup has something for a shrinker.  A walk clears it when it finds nothing,
-- growing bitmaps are copied, and all that time items may come.  Is a bit ever lost?

local function pct(n) return { strategy = "pct", runs = n } end

local expect = {}
for _, l in ipairs { "v5.3", "v5.10", "v6.1", "v6.12" } do
  for _, what in ipairs { "walk", "mount", "umount" } do
    expect[#expect + 1] = { l, set = { what = what }, never = "*", explore = pct(2000) }
  end
  expect[#expect + 1] =
    { l, variant = { "none", "shrinker-bit-no-rescan" }, set = { what = "walk" },
      finds = "list-lru", explore = pct(5000) }
end
-- From v6.7 on bitmaps are not copied.
for _, l in ipairs { "v5.3", "v5.10", "v6.1" } do
  expect[#expect + 1] =
    { l, variant = { "none", "shrinker-map-copied" }, set = { what = "mount" },
      finds = "list-lru", explore = pct(5000) }
end

return scenario {
  doc = "the first item of a list, and who clears or copies its bit",
  -- Bitmaps grow with every shrinker, not with every 64th.
  reclaim = { map_bits = 1 },
  options = {
    what = { "walk", "what happens meanwhile: walk, mount, umount" },
  },
  cpus = 2,

  setup = function(sim, opt, t)
    sim.box = sim:cgroup("box")
    sim.ext4 = sim:fs("ext4")
    sim:create_child(sim.ext4, sim.box)
    if opt.what == "walk" then
      -- The bit is set, and the list is empty.
      t:attach(sim.box)
      t:lookup(sim.ext4, "old")
      t:attach(sim.root)
      t:shrink_slab(sim.box)
    elseif opt.what == "umount" then
      sim.xfs = sim:fs("xfs")
    end
  end,

  tasks = function(sim, opt)
    local meanwhile = {
      walk = function(t) t:shrink_slab(sim.box) end,
      mount = function(t) t:mount("xfs") end,
      umount = function(t) t:umount(sim.xfs) end,
    }
    return {
      task("user", { cpu = 0, cgroup = sim.box }, function(t) t:lookup(sim.ext4, "new") end),
      task("other", { cpu = 1 }, meanwhile[opt.what]),
    }
  end,

  expect = expect,
}
