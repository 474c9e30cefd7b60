-- Open: with preempt = "none", dpor leaves out runs in which a grace period starts after the sixth step
-- of t1 and before the first of t0.  No finding and no end state is lost here, but 5 of 39 classes of
-- runs.  Found as model 880001447 by `make soak`; see `slabsim explore --audit` of this file.
return model {
  cpus = 2,
  preempt = "none",
  setup = function(sim)
    sim.c1 = sim:cell("c1", 0)
    sim.m = sim:mutex("m")
    sim.r = sim:percpu_ref("r", function(t) t:write_once(sim.c1, 1) end)
  end,
  tasks = {
    task("t0", { cpu = 0 }, function(t, sim)
      if t:read_once(sim.c1) == 0 then
        t:lock(sim.m)
      end
      t:write_once(sim.c1, 2)
    end),
    task("t1", { cpu = 1 }, function(t, sim)
      t:percpu_ref_kill(sim.r)
      t:write_once(sim.c1, 1)
      t:unlock(sim.m)
    end),
  },
}
