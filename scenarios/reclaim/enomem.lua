-- SPDX-License-Identifier: GPL-2.0-only
--
-- A task in a limited cgroup looks up names that do not exist, and each leaves a negative dentry
-- behind.  Can the cgroup go on once its limit is hit?
--
-- "When we hit the limit we will get ENOMEM w/o any chance to recover": up to v3.19 nothing that
-- is charged to a cgroup can be taken back on its behalf.  From v4.0 on its own old dentries
-- make room for the new ones.  What each run comes to stands at its end:
--
--   slabsim run enomem.lua --lifecycle v3.19 --set recovers=false
--   slabsim run enomem.lua --lifecycle v4.0
--
-- scenarios/studies/kmem_limit.lua has them side by side, with a neighbour and other limits.

return scenario {
  doc = "negative dentries fill a cgroup to its limit",
  lifecycle = "v4.0",
  reclaim = function(opt)
    return opt.shrinkers and {} or { list_lru = "global", shrinkers = "global" }
  end,
  options = {
    names = { 1200, "names to look up" },
    limit = { 12, "pages that the cgroup may have" },
    shrinkers = { true, "false: no shrinker knows of memcgs, whatever the lifecycle" },
    recovers = { true, "what to expect" },
  },
  cpus = 1,

  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.ext4 = sim:fs("ext4")
    sim:create_child(sim.ext4, sim.box)
  end,

  tasks = {
    task("indexer", { cgroup = "box" }, function(t, sim, opt)
      t:set_max(sim.box, opt.limit)
      local done, refused, patience = 0, 0, 5
      while done < opt.names and patience > 0 do
        local n, err = t:lookup_many(sim.ext4, "missing", opt.names - done, done + 1)
        done = done + n
        patience = n > 0 and 5 or patience - 1
        if err then
          refused = refused + 1
          -- What was shrunk is freed after a grace period.
          t:sleep(ms(20))
        end
      end
      local figures = t:fs_figures(sim.ext4)
      t:log(string.format("%d of %d names looked up, ENOMEM %d times, %d dentries left",
                          done, opt.names, refused, figures.dentries))
      if opt.recovers then
        t:assert(done == opt.names, "the cgroup did not recover from its limit")
      else
        t:assert(done < opt.names, "the cgroup recovered without a shrinker")
      end
    end),
  },

  expect = {
    { "v3.19", set = { recovers = false }, never = "*" },
    { "seed2", set = { recovers = false }, never = "*" },
    { "v4.0", set = { recovers = false, shrinkers = false }, never = "*" },
    { "v4.0", never = "*" },
    { "v4.7", never = "*" },
    { "v4.18", never = "*" },
    { "v5.3", never = "*" },
    { "v5.10", never = "*" },
    { "v6.1", never = "*" },
    { "v6.12", set = { recovers = false, shrinkers = false }, never = "*" },
    { "v6.12", never = "*" },
  },
}
