return scenario {
  tasks = {
    task("a", {}, function(t)
      local nothing
      t:log("x" .. nothing)
    end),
  },
}
