return scenario {
  tasks = {
    task("a", {}, function(t)
      t:free(nil)
    end),
  },
}
