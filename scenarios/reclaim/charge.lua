-- SPDX-License-Identifier: GPL-2.0-only
--
-- Objects that nobody needs any more stay allocated, as unused dentries do, and their pages stay
-- charged.  Then somebody in the same cgroup wants one more.  Does a limit that is full of what could be
-- freed make allocations fail, while the machine has memory?
--
-- Without anything that shrinks caches it does, for kernel memory and user memory alike; a sibling
-- below another limit is not affected, and one flag changes what happens.

return scenario {
  doc = "ENOMEM without a shrinker: a limit full of unused objects fails every charge below it",
  options = {
    pages = { 64, "the limit of the cgroup, in pages" },
    flag = { "", "what the last allocation may do: a flag of t:gfp()" },
  },

  setup = function(sim, opt, t)
    sim.app = sim:cgroup("app")
    sim.other = sim:cgroup("other")
    sim.dentry = sim:cache("dentry", { object_size = 4096, objects_per_slab = 1 })
    sim:create_child(sim.dentry, sim.app)
    t:set_max(sim.app, opt.pages)
  end,

  tasks = {
    task("user", { cpu = 0, cgroup = "app" }, function(t, sim, opt)
      local unused = t:alloc_many(sim.dentry, 2 * opt.pages)
      t:assert(#unused <= opt.pages, "more objects than the limit has pages for")
      t:assert(#unused >= opt.pages // 2, "the limit is far off")

      if opt.flag ~= "" then t:gfp(opt.flag) end
      local one, err = t:alloc(sim.dentry)
      if opt.flag == "nofail" or opt.flag == "memalloc" or opt.flag == "dying" then
        t:assert(one, "an allocation that may not fail has failed")
      else
        t:assert(not one and err == "ENOMEM", "one more was had than there was room for")
        local rest = 0 -- an object may want two pages where there is one
        while t:charge(sim.app, 1) do rest = rest + 1 end
        t:assert(rest <= 1, "there was room for user memory")
        if rest > 0 then t:uncharge(sim.app, rest) end
      end
      t:assert(t:charge(sim.other, 1), "a limit elsewhere stands in the way")
      t:uncharge(sim.other, 1)

      -- What a shrinker would do.
      t:free_many(unused)
      if one then t:free(one) end
      t:shrink(sim.dentry)
      t:gfp()
      one = t:alloc(sim.dentry)
      t:assert(one, "there is room again")
      t:free(one)
    end),
  },

  expect = {
    { "v3.19", never = "assert" },
    { "v4.0", never = "assert" },
    { "v4.18", never = "assert" },
    { "v5.3", never = "*" },
    { "v5.3", never = "*", order = "random", runs = 20 },
    { "v5.3", set = { flag = "atomic" }, never = "*" },
    { "v5.3", set = { flag = "nofail" }, never = "*" },
    { "v5.3", set = { flag = "memalloc" }, never = "*" },
    { "v5.3", set = { flag = "dying" }, never = "*" },
    { "v5.8", never = "*" },
    { "v5.10", never = "*" },
    { "v6.1", never = "*" },
    { "v6.12", never = "*" },
    { "v6.12", set = { flag = "nofail" }, never = "*" },
  },
}
