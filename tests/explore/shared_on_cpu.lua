-- Two tasks on one CPU that share a Lua variable: no step touches it, but states tell what became
-- of it.

local told

return model {
  cpus = 1,
  setup = function(sim)
    told = 0
    sim.heard, sim.said = sim:cell("heard", 0), sim:cell("said", 0)
  end,
  tasks = {
    task("listener", function(t, sim)
      t:read_once(sim.heard)
      t:write_once(sim.heard, told)
    end),
    task("teller", function(t, sim)
      t:read_once(sim.said)
      told = 1
      t:write_once(sim.said, 1)
    end),
  },
}
