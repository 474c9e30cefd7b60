-- SPDX-License-Identifier: GPL-2.0-only
--
-- Does the cost of a run grow with its size and not faster?  Many cgroups are made, each gets a
-- child cache and its share of the objects, all are removed, and then the objects are freed.
-- For the figures: --set cgroups=10000 --set objects=1000000, and twice as much.

return scenario {
  doc = "many cgroups and objects",
  options = {
    cgroups = { 100, "cgroups" },
    objects = { 10000, "objects in all" },
    batch = { 100, "cgroups that exist at the same time" },
  },

  setup = function(sim)
    sim.dentry = sim:cache("dentry", { object_size = 192 })
  end,

  tasks = {
    task("driver", { cpu = 0 }, function(t, sim, opt)
      local share = opt.objects // opt.cgroups
      local made = 0
      while made < opt.cgroups do
        local boxes, held = {}, {}
        for i = 1, math.min(opt.batch, opt.cgroups - made) do
          boxes[i] = t:mkdir("box" .. made + i)
          t:create_child(sim.dentry, boxes[i])
          t:attach(boxes[i])
          held[i] = t:alloc_many(sim.dentry, share)
        end
        t:attach(sim.root)
        for _, box in ipairs(boxes) do t:rmdir(box) end
        t:sleep(ms(30))
        for _, objects in ipairs(held) do t:free_many(objects) end
        made = made + #boxes
      end
    end),
  },

  expect = {
    { "v5.3", never = "*" },
  },
}
