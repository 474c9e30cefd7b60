return scenario {
  tasks = { task("a", {}, function(t) t:log(("%p"):format({})) end) },
}
