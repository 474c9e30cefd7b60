return scenario {
  tasks = {
    task("a", {}, function(t)
      while true do t:yield() end
    end),
  },
}
