-- SPDX-License-Identifier: GPL-2.0-only
--
-- A file system is unmounted while its shrinker is called, while somebody reads in debugfs how
-- much there is to shrink, and while a cgroup goes offline.  Does anybody use what is gone,
-- and does everybody come to an end?

local function pct(n) return { strategy = "pct", runs = n } end

local expect = {
  { "v6.1", set = { what = "read" }, finds = "progress", explore = pct(1000) },
  { "v6.1", variant = "none", set = { what = "read" }, never = "*", explore = pct(3000) },
  -- A file that no lock is taken for cannot close a circle.
  { "v6.12", variant = { "none", "shrinker-debugfs-rwsem" }, set = { what = "read" },
    never = "*", explore = pct(3000) },
}
for _, l in ipairs { "v4.0", "v4.18", "v5.3", "v5.10", "v6.1", "v6.12" } do
  for _, what in ipairs { "shrink", "offline" } do
    expect[#expect + 1] = { l, set = { what = what }, never = "*", explore = pct(1000) }
  end
end

return scenario {
  doc = "a shrinker and its lists go away under those who use them",
  lifecycle = "v6.1",
  reclaim = true,
  options = {
    what = { "shrink", "what happens meanwhile: shrink, read, offline" },
  },
  cpus = 2,

  setup = function(sim, opt, t)
    sim.box = sim:cgroup("box")
    sim.ext4 = sim:fs("ext4")
    sim:create_child(sim.ext4, sim.box)
    t:attach(sim.box)
    t:create(sim.ext4, "file")
    t:attach(sim.root)
  end,

  tasks = function(sim, opt)
    local meanwhile = {
      shrink = function(t) t:shrink_slab(sim.box) end,
      read = function(t) t:read_shrinker(sim.ext4) end,
      offline = function(t) t:rmdir(sim.box) end,
    }
    return {
      task("admin", { cpu = 0 }, function(t) t:umount(sim.ext4) end),
      task("other", { cpu = 1 }, meanwhile[opt.what]),
    }
  end,

  expect = expect,
}
