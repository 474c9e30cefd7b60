local s = scenario { tasks = {} }
