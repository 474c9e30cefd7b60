-- SPDX-License-Identifier: GPL-2.0-only
--
-- dead-count-no-rcu: a cgroup goes between the test of the count and the reference on it.
--
-- Upstream: never; it is what Michal Hocko asked about the count of removals on 2013-02-11: "What
-- would protect us from races when css would disappear between 1 and 2?", 1 being the test of the
-- count and 2 css_tryget().  The read section does, which both steps are in: whoever has passed
-- the test may be told that the cgroup is dead, but not be handed freed memory.  Here the section
-- begins after step 2.  The lock around position and count does not help, as long as a grace
-- period waits for readers and not for whoever cannot be preempted; from v4.20 on it waits for
-- both, and the lock would do.
-- Fix: none was needed; 5f5781619718 (v3.10) has both steps in one section.
-- Had it: no version.  Hint: as in dead-count-two-reads.lua.

local set = { iterator = "dead-count", at_rmdir = true }

return scenario {
  like = require "reclaim.iter",
  upstream = "5f5781619718",

  expect = {
    { "v3.16", variant = { "none", "dead-count-no-rcu" }, set = set, finds = "use-after-free",
      explore = { strategy = "pct", runs = 20000 }, keeps = "dead-count-no-rcu" },
    { "v3.16", variant = "none", set = set, never = "*",
      explore = { strategy = "pct", runs = 10000 } },
    -- One flavour of RCU: a spinlock is a read section, too.
    { "v5.3", variant = { "none", "dead-count-no-rcu" }, set = set, never = "*",
      explore = { strategy = "pct", runs = 10000 } },
    { "v5.3", variant = { "none", "dead-count-no-rcu", "dead-count-unlocked" }, set = set,
      finds = "use-after-free", explore = { strategy = "pct", runs = 2000 } },
  },
}
