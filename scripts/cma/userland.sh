#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Makes what the boards run, from Debian's packages:
#   $BUILD/initramfs-armhf.cpio.gz  BusyBox and our init
#   $BUILD/disk.ext4                programs (v4l2-ctl, modetest, coreutils,
#                                   stress-ng) and data/random.bin, a file of
#                                   random data with its sha256 beside it
#   $BUILD/initramfs-ARCH.cpio.gz   for each ARCH on the command line
#   $BUILD/programs.ext4           for +PACKAGE[,PACKAGE]: a disk that has these
# Packages come from `main` of the mirrors this machine's own apt uses; from
# the release alone, for the guests see no network and need no updates.
# Nothing is done if nothing changed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
BUILD=${BUILD:-$here/../../build}
mkdir -p "$BUILD"
BUILD=$(cd "$BUILD" && pwd -P)
PATH=$PATH:/usr/sbin:/sbin

# See lab/lock.py.
if [ "${CMA_LOCKED:-}" != "$BUILD/.lock" ]; then
	exec 9>"$BUILD/.lock"
	flock -n 9 || { echo "waiting for another run in $BUILD"; flock 9; }
fi

packages=busybox-static,coreutils,v4l-utils,libdrm-tests,stress-ng
data_mib=160
free_mib=96

# fetch NAME ARCH PACKAGES: into $BUILD/userland-NAME, unless they are there.
fetch() {
	tree=$BUILD/userland-$1
	[ "$(cat "$tree.packages" 2>/dev/null)" = "$3" ] && return
	echo "userland: fetching Debian $2 packages"
	sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	sources=$(apt-get indextargets \
		--format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' 'Component: main' |
		awk '$3 !~ /[-\/]/' | sort -u)
	if [ -z "$sources" ]; then
		echo "userland: apt knows no Debian source; run apt-get update" >&2
		exit 1
	fi
	if ! echo "$sources" | $sudo mmdebstrap --variant=extract \
			--architectures="$2" --include="$3" --format=tar \
			'' - - >"$tree.tar" 2>"$tree.log"; then
		cat "$tree.log" >&2
		exit 1
	fi
	rm -rf "$tree"
	mkdir "$tree"
	tar -C "$tree" --no-same-owner --exclude='./dev/*' -xf "$tree.tar"
	rm -f "$tree.tar"
	(cd "$tree" && rm -rf usr/share/doc usr/share/man usr/share/locale \
		usr/share/info var/cache var/lib/apt usr/share/icons)
	printf %s "$3" >"$tree.packages"
}

make_initramfs() {
	root=$BUILD/initramfs-$1
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/sbin" "$root/lib" "$root/usr/bin" \
		"$root/proc" "$root/sys" "$root/dev" "$root/mnt" "$root/tmp" \
		"$root/root"
	cp "$BUILD/userland-$1/bin/busybox" "$root/bin/"
	cp "$here/guest/init" "$root/init"
	# Programs on the disk find their loader, and the kselftest runner the
	# timeout that has --foreground.
	ln -s /mnt/lib/ld-linux-armhf.so.3 "$root/lib/"
	ln -s /mnt/usr/bin/timeout "$root/usr/bin/"
	(cd "$root" && find . | LC_ALL=C sort |
		cpio --quiet -o -H newc -R 0:0 --reproducible) |
		gzip -9n >"$BUILD/initramfs-$1.cpio.gz"
	rm -rf "$root"
}

make_disk() {
	tree=$BUILD/userland-armhf
	if [ ! -f "$tree/data/random.bin.sha256" ]; then
		mkdir -p "$tree/data"
		head -c ${data_mib}M /dev/urandom >"$tree/data/random.bin"
		(cd "$tree/data" && sha256sum random.bin >random.bin.sha256)
	fi
	used_mib=$(du -sm --apparent-size "$tree" | cut -f1)
	rm -f "$BUILD/disk.ext4"
	mke2fs -q -t ext4 -b 4096 -m 0 -d "$tree" "$BUILD/disk.ext4" \
		$((used_mib * 11 / 10 + free_mib))M
	# A card has a power of two of bytes; the rest is no part of the file
	# system.
	card_mib=64
	while [ $card_mib -lt $((used_mib * 11 / 10 + free_mib)) ]; do
		card_mib=$((card_mib * 2))
	done
	truncate -s ${card_mib}M "$BUILD/disk.ext4"
}

# make_programs PACKAGES: a disk of their own, for what few boards run.
make_programs() {
	tree=$BUILD/userland-programs
	disk=$BUILD/programs.ext4
	if [ "$(cat "$tree.packages" 2>/dev/null)" != "$1" ]; then
		rm -f "$disk"
		fetch programs armhf "$1"
	fi
	[ -f "$disk" ] && return
	mke2fs -q -t ext4 -b 4096 -m 0 -d "$tree" "$disk" \
		$(($(du -sm --apparent-size "$tree" | cut -f1) * 5 / 4 + free_mib))M
}

stamp=$(cat "$0" "$here/guest/init" | sha256sum)
# is_made ARCH
is_made() {
	[ "$(cat "$BUILD/userland-$1.stamp" 2>/dev/null)" = "$stamp" ] &&
		[ -f "$BUILD/initramfs-$1.cpio.gz" ]
}

if ! is_made armhf || [ ! -f "$BUILD/disk.ext4" ]; then
	rm -f "$BUILD/userland-armhf.stamp"
	fetch armhf armhf "$packages"
	echo "userland: making the initramfs and the disk"
	make_initramfs armhf
	make_disk
	echo "$stamp" >"$BUILD/userland-armhf.stamp"
fi
for arch in "$@"; do
	case $arch in
	+*)
		make_programs "${arch#+}"
		continue
		;;
	esac
	is_made "$arch" && continue
	fetch "$arch" "$arch" busybox-static
	make_initramfs "$arch"
	echo "$stamp" >"$BUILD/userland-$arch.stamp"
done
