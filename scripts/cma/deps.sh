#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Installs what is missing of the Debian packages that the other scripts
# need. Quick when nothing is missing.
#   deps.sh [tree|build|demo|bench|check|files]    default: check
set -eu

tree="git make gcc libc6-dev python3 xz-utils unifdef"
[ -n "${KSRC:-}" ] || [ "${BASE:-}" = newest ] ||
	tree="$tree linux-source-6.12"
build="$tree perl bc bison flex libssl-dev libelf-dev kmod ccache
	gcc-arm-linux-gnueabihf libc6-dev-armhf-cross"
demo="$build qemu-system-arm device-tree-compiler mmdebstrap cpio gzip
	e2fsprogs"
bench="$demo gnuplot-nox"
check="$bench gcc-aarch64-linux-gnu sparse codespell mypy pyflakes3 shellcheck
	rsync dt-schema python3-git python3-ply python3-pyelftools
	qemu-system-x86 gcc-arm-linux-gnueabi libc6-dev-armel-cross liburing-dev"

files="$check xfsprogs f2fs-tools dosfstools squashfs-tools erofs-utils
	btrfs-progs"

case "${1:-check}" in
tree) want=$tree ;;
build) want=$build ;;
demo) want=$demo ;;
bench) want=$bench ;;
check) want=$check ;;
files) want=$files ;;
*)
	echo "usage: $0 [tree|build|demo|bench|check|files]" >&2
	exit 2
	;;
esac

missing=
for package in $want; do
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null |
		grep -q ' installed$' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "deps: installing$missing"
$sudo apt-get -qq update
# shellcheck disable=SC2086 # a list of names
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
	-o Dpkg::Use-Pty=0 install --no-install-recommends $missing
