return scenario {
  tasks = { tsk("a", {}, function(t) end) },
}
