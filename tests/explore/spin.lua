-- A task that spins until a flag is set, which nobody does if another one comes first.

return model {
  setup = function(sim) sim.flag, sim.gone = sim:cell("flag", 0), sim:cell("gone", 0) end,
  tasks = {
    task("spinner", function(t, sim)
      while t:read_once(sim.flag) == 0 do end
    end),
    task("setter", function(t, sim)
      if t:read_once(sim.gone) == 0 then t:write_once(sim.flag, 1) end
    end),
    task("leaver", function(t, sim) t:write_once(sim.gone, 1) end),
  },
}
