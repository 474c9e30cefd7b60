return scenario {
  tasks = {
    task("a", {}, function(t, sim) sim.a = t end),
    task("b", {}, function(t, sim)
      t:join(sim:task("a"))
      sim.a:sleep(1)
    end),
  },
}
