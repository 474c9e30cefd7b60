-- SPDX-License-Identifier: GPL-2.0-only
--
-- shrinker-maps-css-leak: a mount fails, and a cgroup that it came past can never go.
--
-- Upstream: no report is known.  A new shrinker may need larger bitmaps in all memcgs.  If memory
-- runs out in the middle, the walk over them was left by a goto, and the reference on the one
-- that it stood on stayed.
-- Fix: 75866af62b43 (v5.6), "mm/memcontrol.c: lost css_put in memcg_expand_shrinker_maps()",
-- Vasily Averin.
-- Had it: v5.3, since 0a4465d34028.  Hint: one allocation may fail, and bitmaps are small.

return scenario {
  like = require "reclaim.mount_fails",
  lifecycle = "v5.3",
  upstream = "75866af62b43",

  expect = {
    { "v5.3", variant = { "none", "shrinker-maps-css-leak" }, finds = "leak",
      explore = { strategy = "random", runs = 1000 }, keeps = "shrinker-maps-css-leak" },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "random", runs = 1000 } },
    { "v5.8", never = "*", explore = { strategy = "random", runs = 1000 } },
  },
}
