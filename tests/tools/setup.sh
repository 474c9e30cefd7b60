#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# setup.sh PACKAGE... - install the Debian packages that are missing.
#
# Says what it is about to install, and takes a few milliseconds when nothing is.

set -eu

if ! command -v dpkg-query >/dev/null; then
	echo "This is not Debian: nothing is installed.  Needed, by their Debian names: $*" >&2
	exit 0
fi

missing=
for package in "$@"; do
	# The query fails, and prints nothing, for a package that dpkg never heard of.
	status=$(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null || true)
	case " $status" in
	*" installed "*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

echo "Installing the missing Debian packages:$missing"
if [ "$(id -u)" -eq 0 ]; then
	sudo=
elif command -v sudo >/dev/null; then
	sudo=sudo
else
	echo "Neither root nor sudo.  As root, run: apt-get install$missing" >&2
	exit 1
fi
# shellcheck disable=SC2086 # both are lists of words
{
	$sudo apt-get -q update
	$sudo env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y --no-install-recommends install $missing
}
