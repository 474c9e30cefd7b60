return scenario {
  cpus = "two",
  tasks = {},
}
