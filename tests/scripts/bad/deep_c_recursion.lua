local function deep(s) return (s:gsub(".", deep)) end
return scenario {
  tasks = { task("a", {}, function(t) t:log(deep("x")) end) },
}
