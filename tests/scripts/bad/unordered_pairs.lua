return scenario {
  tasks = {
    task("a", {}, function(t)
      for k in pairs({ [{}] = 1 }) do t:log(tostring(k)) end
    end),
  },
}
