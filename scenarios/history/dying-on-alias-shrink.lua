-- SPDX-License-Identifier: GPL-2.0-only
--
-- dying-on-alias in v4.18: the children of a live cache are not shrunk, their empty pages stay.
--
-- Upstream and fix: dying-on-alias.lua.  Here a child has no counter of its own, and its memcg
-- takes it along; but that memcg is pinned by every page of it, empty ones too, and a child whose
-- root is marked is not queued for shrinking.
-- Had it: v4.18.  Hint: two caches that are merged, and objects enough to leave empty pages.

local set = { objects = 17, ordered = false }

return scenario {
  like = require "lifecycle.alias_empties",
  lifecycle = "v4.18",
  upstream = "d38a2b7a9c93",

  expect = {
    { "v4.18", variant = { "none", "dying-on-alias" }, set = set, finds = "leak",
      explore = { strategy = "pct", runs = 500 }, keeps = "dying-on-alias-shrink" },
    { "seed1-v4", variant = { "none", "dying-on-alias" }, set = set, finds = "leak",
      explore = { strategy = "pct", runs = 500 } },
    { "v4.18", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 1000 } },
    { "v5.8", set = set, never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
