-- SPDX-License-Identifier: GPL-2.0-only
--
-- Cgroups come and go one after the other.  Each looks up some names that do not exist, and the
-- negative dentries stay in the dentry cache: no memory is short.  How large do the arrays of
-- list_lru become, which have a place for every index that a cgroup may have?
--
-- v4.0 gives the index of a cgroup back at offline, once its lists were handed to the parent.
-- seed2 keeps it until the memcg is freed, which its dentries prevent.  No release had both
-- per-memcg lists and that: the lists of v4.0 are put into it, to see what the hand-over is for.
-- Between two cgroups there is time for some grace periods, so one is alive at a time.
--
-- In the end all dentries are dropped, as by echo 2 >/proc/sys/vm/drop_caches.  The one cgroup that
-- v4.0 has left then is pinned by the spare charges in a CPU's stock, which offline does not drain
-- before v4.20.
--
-- Scale.  One file system has two list_lrus, and the machine one memory node.  A host has two for
-- each mounted file system, and arrays for each node.

local dropped = "dentries that could be dropped"

local claims = {
  { "without release of the indexes the arrays grow with every cgroup that there ever was",
    function(r)
    local slope = r:slope("places", "seed2")
    return slope.low > 1 and slope.r2 > 0.99,
      string.format("%.2f places for each cgroup (%.2f to %.2f), R2 %.3f; %.1f KiB after %d",
                    slope.mean, slope.low, slope.high, slope.r2, r:mean("lists", "seed2"),
                    r.x[#r.x])
  end },
  { "with it they have room for those that are alive, however many were there before", function(r)
    local ok, parts = true, {}
    for i, version in ipairs { "v4.0", "v4.18", "v5.8" } do
      for _, x in ipairs(r.x) do
        ok = ok and r:mean("places", version, x) == r:mean("places", version, r.x[1])
      end
      parts[i] = string.format("%s: %.0f places, %.1f KiB", version, r:mean("places", version),
                               r:mean("lists", version))
    end
    return ok and r:below("places", "v4.0", "seed2", r.x[1]), table.concat(parts, "; ")
  end },
  { "that is not for want of dying cgroups: v4.0 has as many, and as many dentries on its lists",
    function(r)
    local dying = r:difference("dying cgroups before", "v4.0", "seed2")
    local dentries = r:difference("dentries on them", "v4.0", "seed2")
    return dying.low == 0 and dying.high == 0 and dentries.low == 0 and dentries.high == 0,
      string.format("%.0f dying cgroups and %.0f dentries in both",
                    r:mean("dying cgroups before", "v4.0"), r:mean("dentries on them", "v4.0"))
  end },
  { "items of the dead go to the parent, where reclaim finds them; without that nobody looks " ..
    "at them", function(r)
    local ok = r:mean(dropped, "seed2") == 0
    for _, version in ipairs { "v4.0", "v4.18", "v5.8" } do
      ok = ok and r:mean(dropped, version) == r:mean("dentries on them", version)
    end
    return ok, string.format("v4.0: %.0f of %.0f dropped, seed2: %.0f of %.0f",
                             r:mean(dropped, "v4.0"), r:mean("dentries on them", "v4.0"),
                             r:mean(dropped, "seed2"), r:mean("dentries on them", "seed2"))
  end },
  { "only entries of lists are reparented, not charges: the css dangles until the last object " ..
    "is freed", function(r)
    local before, after = "dying cgroups before", "dying cgroups after"
    return r:mean(before, "v4.0") == r.x[#r.x] and r:mean(after, "v4.0") <= 1 and
      r:mean(before, "v5.8") <= 1 and r:mean(after, "seed2") == r.x[#r.x],
      string.format("v4.0: %.0f dangle until dentries are dropped, then %.0f; v5.8, where " ..
                    "caches go to the parent as well: %.0f, then %.0f", r:mean(before, "v4.0"),
                    r:mean(after, "v4.0"), r:mean(before, "v5.8"), r:mean(after, "v5.8"))
  end },
}

return scenario {
  doc = "the arrays of list_lru, while cgroups come and go",
  reclaim = { list_lru = "arrays" },
  options = {
    cgroups = { 100, "cgroups, one after the other" },
    names = { 4, "names that each of them looks up" },
  },

  setup = function(sim)
    sim.ext4 = sim:fs("ext4")
  end,

  tasks = {
    task("admin", { cpu = 0 }, function(t, sim, opt)
      for i = 1, opt.cgroups do
        local box = t:mkdir("box" .. i)
        t:create_child(sim.ext4, box)
        t:attach(box)
        for k = 1, opt.names do t:lookup(sim.ext4, "missing" .. i .. "." .. k) end
        t:attach(sim.root)
        t:rmdir(box)
        t:sleep(ms(100))
      end
      local figures = t:fs_figures(sim.ext4)
      t:measure("bytes", figures.bytes)
      t:measure("slots", figures.slots)
      t:measure("unused", figures.unused)
      t:measure("dropped", t:drop_slab())
      t:sleep(ms(100))
    end),
  },

  expect = {
    { "seed2", never = "*", set = { cgroups = 20 } },
    { "v4.0", never = "*", set = { cgroups = 20 } },
    { "v4.18", never = "*", set = { cgroups = 20 } },
    { "v5.8", never = "*", set = { cgroups = 20 } },
  },

  study = {
    title = "list_lru arrays with and without release of the indexes at offline",
    series = { "seed2", "v4.0", "v4.18", "v5.8" },
    x = { set = "cgroups", values = { 25, 50, 100, 200, 400, 800 }, unit = "cgroups" },
    metrics = {
      { "lists", measured = "bytes", unit = "KiB", scale = 1 / 1024 },
      { "places", measured = "slots", unit = "places" },
      { "dentries on them", measured = "unused", unit = "dentries" },
      { "dentries that could be dropped", measured = "dropped", unit = "dentries" },
      { "dying cgroups before", gauge = "dying_cgroups", value = "max" },
      { "dying cgroups after", gauge = "dying_cgroups" },
    },
    claims = claims,
  },
}
