-- SPDX-License-Identifier: GPL-2.0-only
--
-- iter-pins-late: a position is put by somebody else before its reference was taken.
--
-- Upstream: no report is known.  v3.19 stores a position with cmpxchg() and takes the reference
-- for it after that; in between the next walker may replace the position and put what it stands
-- on.
-- Fix: 6df38689e0e9 (v4.5), which took the reference away altogether, see iter-pins-css.lua.
-- Had it: v3.19 and v4.0; the search looks at the design of theirs alone.  No hint in the
-- scenario.

local set = { iterator = "pinned-cmpxchg" }

return scenario {
  like = require "reclaim.iter",
  upstream = "6df38689e0e9",

  expect = {
    { "v5.3", variant = { "none", "iter-pins-late" }, set = set, finds = "refcount",
      explore = { strategy = "pct", runs = 1000 }, keeps = "iter-pins-late" },
    { "v5.3", variant = "none", set = set, never = "refcount",
      explore = { strategy = "pct", runs = 5000 } },
    { "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
  },
}
