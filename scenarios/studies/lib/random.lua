-- SPDX-License-Identifier: GPL-2.0-only
--
-- Random numbers of distributions, the same ones on every machine.

local random = {}

local RANGE = 1 << 30

-- Exponentially distributed with that mean, as the lives of unrelated things are.
-- John von Neumann's method: it only compares uniform numbers.  A logarithm may differ in its last
-- digit from one processor to the next, and then so would all that follows.
function random.exponential(t, mean)
  local whole = 0
  while true do
    local first = t:random(RANGE) - 1
    local last, n = first, 1
    while true do
      local u = t:random(RANGE) - 1
      if u >= last then break end
      last, n = u, n + 1
    end
    if n % 2 == 1 then return (whole + first / RANGE) * mean end
    whole = whole + 1
  end
end

-- The same as a whole number, rounded.
function random.exponential_integer(t, mean)
  return math.floor(random.exponential(t, mean) + 0.5)
end

return random
