# SPDX-License-Identifier: GPL-2.0-only
#
# big.awk -v TIMES=N TRACE - the events of a trace N times over, one after the other.

function add(name, by,    at, value)
{
	if (!match($0, "\"" name "\":[0-9]+"))
		return
	at = RSTART + length(name) + 3
	value = substr($0, at, RLENGTH - length(name) - 3)
	$0 = substr($0, 1, at - 1) sprintf("%.0f", value + by) \
		substr($0, RSTART + RLENGTH)
}

/"type":"run"/ { print }
/"type":"event"/ { line[++n] = $0 }
/"type":"end"/ { end = $0 }

END {
	$0 = end
	match($0, /"t":[0-9]+/)
	length_of_run = substr($0, RSTART + 4, RLENGTH - 4) + 1000
	match(line[n], /"seq":[0-9]+/)
	last = substr(line[n], RSTART + 6, RLENGTH - 6)
	for (i = 0; i < TIMES; i++) {
		for (j = 1; j <= n; j++) {
			$0 = line[j]
			add("seq", i * last)
			add("t", i * length_of_run)
			add("cause", i * last)
			print
		}
	}
	$0 = end
	add("t", (TIMES - 1) * length_of_run)
	print
}
