return scenario {
  tasks = { task("a", {}, function(t) os.exit(0) end) },
}
