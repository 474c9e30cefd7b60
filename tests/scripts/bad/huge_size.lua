return scenario {
  setup = function(sim)
    sim:cache("dentry", { object_size = 1 << 40 })
  end,
}
