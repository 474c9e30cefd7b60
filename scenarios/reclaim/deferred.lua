-- SPDX-License-Identifier: GPL-2.0-only
--
-- A cgroup's allocations come from inside a file system (GFP_NOFS), so its dentries cannot be
-- shrunk: the work is put off.  Then its neighbour, who has done nothing, is looked at gently.
-- Who loses dentries for whom?
--
-- Up to v5.12 a shrinker has one count of work put off for all cgroups, and whoever comes next
-- does it.  From v5.13 on each cgroup has its own.

return scenario {
  doc = "work that a shrinker puts off for one cgroup and does in another",
  reclaim = true,
  options = {
    dentries = { 400, "of each of the two cgroups" },
    pressure = { 20, "times that the first one is shrunk without success" },
    neighbour_loses = { true, "what to expect" },
  },
  cpus = 1,

  setup = function(sim, opt, t)
    sim.ext4 = sim:fs("ext4", { batch = 32 })
    for _, name in ipairs { "noisy", "quiet" } do
      local box = sim:cgroup(name)
      sim[name .. "_box"] = box
      sim:create_child(sim.ext4, box)
      t:attach(box)
      t:lookup_many(sim.ext4, name, opt.dentries)
    end
    t:attach(sim.root)
  end,

  tasks = {
    task("reclaim", function(t, sim, opt)
      for _ = 1, opt.pressure do t:shrink_slab(sim.noisy_box, { priority = 4, fs = false }) end
      -- Priority 12: a 4096th of what there is.
      local quiet = t:shrink_slab(sim.quiet_box, { priority = 12 })
      local noisy = t:shrink_slab(sim.noisy_box, { priority = 12 })
      t:log(string.format("put off %d times: quiet loses %d of %d dentries, noisy %d",
                          opt.pressure, quiet, opt.dentries, noisy))
      t:assert(noisy + quiet > 0, "the work was never done")
      if opt.neighbour_loses then
        t:assert(quiet > 0, "the neighbour lost nothing")
      else
        t:assert(quiet == 0, "the neighbour lost " .. quiet .. " dentries")
      end
    end),
  },

  expect = {
    { "v4.0", never = "*" },
    { "v4.18", never = "*" },
    { "v5.3", never = "*" },
    { "v5.10", never = "*" },
    { "v6.1", set = { neighbour_loses = false }, never = "*" },
    { "v6.12", set = { neighbour_loses = false }, never = "*" },
  },
}
