-- SPDX-License-Identifier: GPL-2.0-only
--
-- A file system is mounted, for which lists and bitmaps of all cgroups must grow, and memory may
-- run out anywhere in that.  Is everything given back, and can the cgroup still be removed?

local function random(n) return { strategy = "random", runs = n } end

local expect = {
  { "v5.3", finds = "leak", explore = random(1000) },
  { "v5.3", variant = "-shrinker-maps-css-leak", never = "*", explore = random(500) },
  { "v5.8", never = "*", explore = random(500) },
}
for _, l in ipairs { "v4.0", "v4.18", "v5.10", "v6.1", "v6.12" } do
  for _, what in ipairs { "mount", "mkdir" } do
    expect[#expect + 1] =
      { l, variant = "none", set = { what = what }, never = "*", explore = random(300) }
  end
end

return scenario {
  doc = "memory runs out while a shrinker and its lists are made",
  reclaim = { map_bits = 1 },
  faults = 1,
  options = {
    what = { "mount", "where memory runs out: mount, mkdir" },
  },
  cpus = 2,

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.ext4 = sim:fs("ext4")
    sim:create_child(sim.ext4, sim.box)
  end,

  tasks = {
    task("admin", function(t, sim, opt)
      if opt.what == "mount" then
        local xfs = t:mount("xfs")
        if xfs then t:umount(xfs) end
      else
        -- The fifth index is beyond the arrays.
        for i = 1, 4 do t:mkdir("more" .. i) end
      end
      t:rmdir(sim.box)
    end),
  },

  expect = expect,
}
