return scenario {
  setup = function(sim
    sim.box = sim:cgroup("box")
  end,
}
