return scenario {
  setup = function(sim)
    sim:cache("dentry", { object_size = -8 })
  end,
}
