-- SPDX-License-Identifier: GPL-2.0-only
--
-- dying-takes-mutex: a destruction takes slab_mutex twice.
--
-- Upstream: 4.19.135-rc1 hung while it booted, July 2020.  The fix of dying-on-alias.lua had been
-- backported to a kernel that marks a root as dying under slab_mutex and not under a spinlock;
-- after the fix the mark comes when that mutex is held already.
-- Fix: the backport was taken back before 4.19.135 and made anew.
-- Had it: no lifecycle; it is v4.18 with that backport.  Hint: a cache is destroyed.

return scenario {
  like = require "lifecycle.early_destroy",
  lifecycle = "v4.18",

  expect = {
    { "v4.18", variant = { "none", "dying-takes-mutex" }, finds = "progress",
      explore = { strategy = "pct", runs = 100 }, keeps = "dying-takes-mutex" },
    { "v4.18", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
