return scenario {
  tasks = {
    task("a", {}, function(t)
      local s = ("x"):rep(1 << 36)
    end),
  },
}
