-- SPDX-License-Identifier: GPL-2.0-only
--
-- Do lists cost what they hold, and not more?  In each of many cgroups names are looked up that do
-- not exist.  Half of the cgroups are removed, so that their parents inherit the dentries; then
-- everything is dropped, as by echo 2 >/proc/sys/vm/drop_caches.
--
-- For the figures: --set cgroups=100000 --set items=10000000, and half as many.

local PARENTS = 100 -- cgroups below each of these are siblings

return scenario {
  doc = "many dentries of many cgroups, all dropped at once",
  lifecycle = "v6.12",
  reclaim = true,
  cpus = 1,
  options = {
    cgroups = { 200, "cgroups, half of them removed" },
    items = { 10000, "dentries in all" },
  },

  setup = function(sim)
    sim.ext4 = sim:fs("ext4")
    sim.parents = {}
    for i = 1, PARENTS do sim.parents[i] = sim:cgroup("p" .. i) end
  end,

  tasks = {
    task("indexer", function(t, sim, opt)
      local share = opt.items // opt.cgroups
      local function fill(i)
        local box = t:mkdir("box" .. i, sim.parents[i % PARENTS + 1])
        t:attach(box)
        t:assert(t:lookup_many(sim.ext4, "b" .. i, share) == share, "no memory for box" .. i)
        t:attach(sim.root)
        return box
      end
      for i = 1, opt.cgroups // 2 do
        t:rmdir(fill(i))
        -- There are no more than 65535 ids at a time.
        if i % 1000 == 0 then t:sleep(ms(100)) end
      end
      t:sleep(ms(100))
      for i = opt.cgroups // 2 + 1, opt.cgroups do fill(i) end

      local before = t:fs_figures(sim.ext4)
      local freed = t:drop_slab()
      t:log(string.format("%d dentries on %d lists, %d dropped", before.unused, before.lists,
                          freed))
      t:assert(freed == before.unused and freed == share * opt.cgroups, "dentries are left")
    end),
  },

  expect = {
    { "v4.18", never = { "assert", "list-lru", "use-after-free" } },
    { "v5.10", never = "*" },
    { "v6.12", never = "*" },
  },
}
