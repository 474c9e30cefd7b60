-- SPDX-License-Identifier: GPL-2.0-only
--
-- unordered-offline: a child goes offline after its parent and has lost its index by then.
--
-- Upstream: a css did not wait for its children, so that the work items of a parent and a child,
-- which were removed in good order, could run the other way round.  From v4.0 on the offline of a
-- memcg gives all its descendants the index of its parent; the child then looks for its own
-- caches there.
-- Fix: aa226ff4a1ce (v4.5): a css goes offline when all its children have.
-- Had it: v4.0; in v3.19 and before the index stays, and the order does no harm.  Hint: a cgroup
-- in a cgroup.

return scenario {
  like = require "lifecycle.user_pages",
  lifecycle = "v4.0",
  upstream = "aa226ff4a1ce",

  expect = {
    { "v4.0", variant = { "none", "unordered-offline" }, finds = "use-after-free",
      explore = { strategy = "pct", runs = 500 }, keeps = "unordered-offline" },
    { "v4.0", variant = "none", never = "*", explore = { strategy = "pct", runs = 5000 } },
    { "v3.19", variant = "none", never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
