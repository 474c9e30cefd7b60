#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# selftest.sh - does source.awk find what it is for, and nothing in what is right?
#
# Both come from a small tree made up here, because the real one is clean.

set -eu

awk_file=$PWD/tests/lint/source.awk
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir -p sim/base sim/engine sim/check sim/explore sim/cli lua tests scenarios

blank=' '
spdx='SPDX-License-Identifier: GPL-2.0-only'

echo "/* $spdx */" >sim/base/list.h
echo "/* $spdx */" >sim/engine/evq.h
echo "/* $spdx */" >tests/help.h

# Right, although it looks wrong.
cat >sim/engine/good.c <<END
// $spdx
#include "sim/engine/evq.h"
#include "sim/base/list.h"

#include <string.h>

/*
 * malloc() and printf("x") in a comment, "quoted" too.
#include "evq.h"
 */
int good(struct ops *o)
{
	arena_free(o, "malloc(1)"); // free(o)
	o->free(o); /* a " in a comment */ o.time(0);
	return snprintf('"', my_rand(runtime(o)), "g_free(\"x\")");
}
END
cat >sim/base/assert.c <<END
// $spdx
void sim_assert_fail(void)
{
	fprintf(stderr, "x");
	abort();
}
END
cat >sim/explore/good.c <<END
// $spdx
#include <glib.h>

#include "sim/engine/evq.h"

char *good(void)
{
	return g_strdup("x");
}
END
printf '#!/bin/sh\n# %s\n' "$spdx" >tests/good.sh
printf '// %s\n#include "sim/cli/cli.h"\n#include "tests/help.h"\n#include "tests/suites.def"\n' \
	"$spdx" >tests/good.c
echo "/* $spdx */" >sim/cli/cli.h
# 100 columns: a tab, 91 letters, and one of two bytes.
printf -- '-- %s\n\t%091dé\n' "$spdx" 0 >scenarios/good.lua

# Wrong, each line in its own way.
cat >sim/base/bad.c <<END
#include "sim/engine/evq.h"
#include "list.h"
#include "../base/list.h"
#include <sim/base/list.h>
#include <glib.h>
#include "tests/help.h"
	x = malloc(1); /* one
	two */ y = time (NULL);
	g_free(z);$blank
END
printf '// %s\n\t%093d\n' "$spdx" 0 >sim/explore/bad.c
printf '#!/bin/sh\nset -eu\n' >tests/bad.sh
echo "/* $spdx */" >sim/stray.h

cat >expected <<'END'
sim/base/bad.c:1: no licence line
sim/base/bad.c:1: "sim/engine/evq.h" is in sim/engine, above sim/base
sim/base/bad.c:2: "list.h" is no path from the root of the repository; #include "sim/base/list.h"
sim/base/bad.c:3: "../base/list.h" is no path from the root of the repository
sim/base/bad.c:4: <sim/base/list.h> is one of ours; #include "sim/base/list.h"
sim/base/bad.c:5: <glib.h> is forbidden below sim/explore
sim/base/bad.c:6: "tests/help.h" belongs to the tests
sim/base/bad.c:7: malloc() is forbidden below sim/explore
sim/base/bad.c:8: time() is forbidden below sim/explore
sim/base/bad.c:9: white space at the end of the line
sim/base/bad.c:9: g_free() is forbidden below sim/explore
sim/explore/bad.c:2: 101 columns wide
sim/stray.h:1: in no layer
tests/bad.sh:2: no licence line
END

files=$(find sim lua tests scenarios -type f | LC_ALL=C sort)
# shellcheck disable=SC2086 # a list of words
LC_ALL=C awk -f "$awk_file" $files >found || true

# Each expected line must begin a found one, in this order, and none may be left over.
awk '
	NR == FNR { want[++n] = $0; next }
	index($0, want[FNR]) != 1 {
		print "lint selftest: expected: " want[FNR]
		print "lint selftest: found:    " $0
		bad = 1
		exit
	}
	{ seen++ }
	END {
		if (!bad && seen < n) {
			print "lint selftest: not found: " want[seen + 1]
			bad = 1
		}
		exit bad
	}
' expected found
