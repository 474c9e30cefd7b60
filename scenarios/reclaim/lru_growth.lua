-- SPDX-License-Identifier: GPL-2.0-only
--
-- Cgroups come and go, and each leaves a file behind that stays in the caches.  How large do the
-- arrays become that find a cgroup's list by its index?
--
-- "This allows us to release memcg_cache_id used for indexing in per-memcg arrays.  If we don't
-- do this, the arrays will grow uncontrollably": a cgroup that keeps its index until its last
-- object is freed keeps it as long as anybody uses the file.  From v4.0 on the items go to the
-- parent when the cgroup goes, and its index to the next one.  From v5.19 on there is no array.
--
--   slabsim run lru_growth.lua --lifecycle seed2 --set list_lru=arrays --set slots=380
--   slabsim run lru_growth.lua --lifecycle v4.0
--
-- scenarios/studies/lru_arrays.lua measures it for more cgroups.

return scenario {
  doc = "the arrays of list_lru, with and without indexes being given back",
  lifecycle = "v4.0",
  reclaim = function(opt)
    -- What seed 3 was before: lists for each memcg, and indexes that last as long as the memcg.
    return { list_lru = opt.list_lru, shrinkers = "walk" }
  end,
  options = {
    cgroups = { 100, "cgroups, one after the other" },
    list_lru = { "", "form of list_lru, whatever the lifecycle: arrays, xarray" },
    slots = { 8, "what to expect: slots at the end at most" },
    grows = { false, "and not less" },
  },
  cpus = 1,

  setup = function(sim, opt, t)
    sim.ext4 = sim:fs("ext4", { objects_per_slab = 1 })
    sim.files = {}
  end,

  tasks = {
    task("manager", function(t, sim, opt)
      for i = 1, opt.cgroups do
        local box = t:mkdir("job" .. i)
        t:create_child(sim.ext4, box)
        t:attach(box)
        t:create(sim.ext4, "log." .. i)
        -- Somebody follows the log.
        sim.files[i] = t:open(sim.ext4, "log." .. i)
        t:attach(sim.root)
        t:rmdir(box)
        t:sleep(ms(20))
      end
      local f = t:fs_figures(sim.ext4)
      t:log(string.format("%d cgroups came and went: %d slots, %d lists, %d bytes",
                          opt.cgroups, f.slots, f.lists, f.bytes))
      t:assert(f.slots <= opt.slots, "the arrays have " .. f.slots .. " slots")
      if opt.grows then
        t:assert(f.slots == opt.slots, "the arrays have only " .. f.slots .. " slots")
      end
      for _, file in ipairs(sim.files) do t:close(file) end
      t:drop_slab()
      t:drop_slab()
      t:drop_slab()
    end),
  },

  expect = {
    -- Twice as many cgroups, twice as many slots, in both arrays.
    { "seed2", set = { list_lru = "arrays", cgroups = 50, slots = 188, grows = true },
      never = { "assert", "list-lru", "use-after-free" } },
    { "seed2", set = { list_lru = "arrays", cgroups = 100, slots = 380, grows = true },
      never = { "assert", "list-lru", "use-after-free" } },
    { "v4.0", set = { cgroups = 50 }, never = "*" },
    { "v4.0", set = { cgroups = 100 }, never = "*" },
    { "v5.3", never = { "assert", "list-lru", "use-after-free" } },
    { "v5.10", never = "*" },
    { "v6.1", set = { slots = 0 }, never = "*" },
  },
}
