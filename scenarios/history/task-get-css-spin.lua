-- SPDX-License-Identifier: GPL-2.0-only
--
-- task-get-css-spin: an ending task tries for ever to get its css, which will not come back.
--
-- Upstream: RCU stalls; a task that ends writes its accounting record and asks for its css until it
-- gets one that is online.  Nobody moves an ending task any more, so once the controller has been
-- disabled there is none; and since it asks inside a read section, no grace period ends either.
-- Fix: 18fa84a2db0e (v5.2), "cgroup: Use css_tryget() instead of css_tryget_online() in
-- task_get_css()", Tejun Heo.
-- Had it: v4.7 to v4.18.  Hint: a controller is disabled while a task ends.

local spin = { "none", "task-get-css-spin" }

return scenario {
  like = require "lifecycle.disable_memory",
  lifecycle = "v4.18",
  upstream = "18fa84a2db0e",

  expect = {
    { "v4.18", variant = spin, finds = "progress", explore = { strategy = "pct", runs = 1000 },
      keeps = "task-get-css-spin" },
    { "v4.7", variant = spin, finds = "progress", explore = { strategy = "pct", runs = 1000 } },
    { "v4.18", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
