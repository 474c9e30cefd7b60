-- Two tasks that share a Lua variable, which no search can see.

local turns

local function take_turns(i)
  return function(t, sim)
    for _ = 1, 2 do
      turns = turns + 1
      t:write_once(sim.turn[i], turns)
    end
  end
end

return model {
  setup = function(sim)
    turns = 0
    sim.turn = { sim:cell("first", 0), sim:cell("second", 0) }
  end,
  tasks = { task("one", take_turns(1)), task("two", take_turns(2)) },
}
