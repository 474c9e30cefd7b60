return scenario {
  tasks = { task("a", {}, function(t) error({}) end) },
}
