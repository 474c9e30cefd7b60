local function deep(n) return 1 + deep(n + 1) end
return scenario {
  tasks = { task("a", {}, function(t) t:log(deep(1)) end) },
}
