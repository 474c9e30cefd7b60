-- SPDX-License-Identifier: GPL-2.0-only
--
-- create-work-css-leak: the creation of a child cache fails and keeps its reference on the memcg.
--
-- Upstream: removed cgroups piled up after memory had been short.  The reference for the work
-- item is taken before the item is allocated, and was not dropped where that allocation fails.
-- Fix: 3a98990ae215 (v5.8), "mm/memcontrol.c: add missed css_put()", Muchun Song.
-- Had it: v5.3, since f0a3a24b532d, and the posting.  Hint: one allocation may fail.

local leak = { "none", "create-work-css-leak" }

return scenario {
  like = require "lifecycle.create_failure",
  upstream = "3a98990ae215",

  expect = {
    { "v5.3", variant = leak, set = { rounds = 1 }, finds = "leak",
      explore = { strategy = "pct", runs = 500 }, keeps = "create-work-css-leak" },
    { "seed1-v4", variant = leak, set = { rounds = 1 }, finds = "leak",
      explore = { strategy = "pct", runs = 500 } },
    { "v5.3", variant = "none", set = { rounds = 1 }, never = "*",
      explore = { strategy = "pct", runs = 1000 } },
    { "v5.8", set = { rounds = 1 }, never = "*", explore = { strategy = "pct", runs = 1000 } },
  },
}
