return scenario {
  setup = function(sim) sim.dentry = sim:cache("dentry") end,
  tasks = {
    task("a", {}, function(t, sim)
      local o = t:aloc(sim.dentry)
    end),
  },
}
