return scenario {
  taks = { task("a", {}, function(t) end) },
}
