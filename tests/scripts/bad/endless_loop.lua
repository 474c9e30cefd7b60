return scenario {
  tasks = {
    task("a", {}, function(t)
      while true do
        pcall(function() while true do end end)
      end
    end),
  },
}
