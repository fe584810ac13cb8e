# SPDX-License-Identifier: GPL-2.0
"""Areas, as boards declare them: what boards are booted with, and what has to
come of it. The stage areas of check.py boots every case.

QEMU puts the initial RAM disk of virt at 0x48000000, and the device tree behind
it.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from stages.area_case import (ANYWHERE, CLIENT, PARTS, POOL, Case, announced, default,
                              devices, tree)
from trees import bases

MANUAL_RST = "Documentation/admin-guide/mm/cma.rst"

# On the newest kernel every area of the device tree has a heap.
ALL_HAVE_HEAPS = not bases.VERSION

FORMS = Case(
    "forms", tree("""
	pool: pool { AREA size = <0 0x1000000>; linux,cma-default; };
	frames: frames@44000000 { AREA reg = <0 0x44000000 0 0x1000000>; };
	within: within {
		AREA
		size = <0 0x800000>;
		alignment = <0 0x800000>;
		alloc-ranges = <0 0x4a000000 0 0x2000000>;
		reclaim-latency-us = <90000000>;
	};
	one: one { AREA size = <0 0x400000>; reclaim-latency-us = <250999>; };
	two: two { AREA size = <0 0x800000>; };
	pieces: pieces@46000000 {
		AREA
		reg = <0 0x46000000 0 0x400000>, <0 0x47000000 0 0x400000>;
	};
	vault: vault { AREA size = <0 0x800000>; reclaim-latency-us = <0>; };
	spare: spare { AREA size = <0 0x400000>; };
	own: own@49000000 {
		compatible = "shared-dma-pool";
		no-map;
		reg = <0 0x49000000 0 0x400000>;
	};
""", """
	camera { DEVICE memory-region = <&frames>; };
	snooper { DEVICE memory-region = <&within>; dma-coherent; };
	codec {
		DEVICE
		memory-region = <&one>, <&two>;
		memory-region-names = "firmware", "frame";
	};
	scaler { DEVICE memory-region = <&pieces>; };
	signal { DEVICE memory-region = <&vault>; };
	display { DEVICE memory-region = <&spare>; };
	processor { DEVICE memory-region = <&own>; test,own-memory; };
	plain { DEVICE };
"""),
    steps=[
        "- 3*4M=pool 4M=nothing",
        "plain 3*4M=pool",
        # An area of its own is for small buffers, too, and for no one else.
        "camera 4K=frames@44000000 3*4M=frames@44000000 4M=nothing",
        "snooper 2*4M=within",
        # In this order, and the second only when the first has no room.
        "codec 4M=one 2*4M=two 4M=nothing",
        "codec 1M=one 8M=two 1M=one 4M=nothing",
        # And the driver may say what a buffer is for.
        "codec use=frame 4M=two use=firmware 4M=one 4M=two use= 4M=nothing",
        "codec unknown=sound unknown=frames@44000000 1M=one",
        # No buffer reaches from one piece into the other.
        "scaler 8M=nothing 2*4M=pieces@46000000 4M=nothing",
        "signal idle=vault 2*4M=vault idle=vault 4M=nothing",
        "camera lent=frames@44000000 lent=within",
        "display 4M=spare 3*4M=pool 4M=none",
        # Memory declared for it alone is no area, and comes first.
        "processor 1M=declared 64K=declared",
    ],
    expect=[
        default("16 MiB", name="pool"),
        announced("frames@44000000", "16 MiB", "0x44000000"),
        announced("within", "8 MiB", "0x4[ab][08]00000"),
        announced("one", "4 MiB", ANYWHERE),
        announced("two", "8 MiB", ANYWHERE),
        announced("pieces@46000000", "8 MiB", "0x46000000, 0x47000000"),
        announced("vault", "8 MiB", ANYWHERE, "exclusive"),
        announced("spare", "4 MiB", ANYWHERE),
        "cma_test codec: cma: takes memory from one, two$",
        "cma_test display: cma: takes memory from spare, pool, then any$",
    ],
    commands=[
        "cd /sys/kernel/mm/cma && grep -x exclusive vault/mode && "
        "grep -x shared frames@44000000/mode && "
        "grep -x first two/fit && grep -x best one/fit",
        "cd /sys/kernel/mm/cma && grep -x all pool/users && "
        "grep -x referrers one/users && ! grep . one/devices",
        "cd /sys/kernel/mm/cma && grep -x 250 one/patience_ms && "
        "grep -x 60000 within/patience_ms",
        # Nothing to be cached where nothing is in the way.
        f"{CLIENT} signal 4*16K=vault && "
        "grep -x 0 /sys/kernel/debug/cma/vault/cached",
        f"{CLIENT} camera 4*16K=frames@44000000 && "
        "! grep -x 0 /sys/kernel/debug/cma/frames@44000000/cached",
        "cd /sys/kernel/debug/cma/pieces@46000000/ranges && "
        "test $(cat 0/base_pfn) = $((0x46000)) && "
        "test $(cat 1/base_pfn) = $((0x47000)) && "
        "test $(cat 1/count) = 1024 && ! ls 2",
        # A driver that comes back finds what it had.
        "cd /sys/bus/platform/drivers/cma_test && echo camera >unbind && "
        "! ls /dev/cma_test.camera && echo camera >bind",
        # The message names the request and explains the number.
        "dmesg | grep 'frames@44000000: alloc faile[d], req-size: 1024 pages, "
        "ret: -12, .* (no room; 4096 KiB for camera, task cma_client)'",
        # And the log says once what that is.
        "test $(dmesg | grep -c 'camera: cma: take[s] memory from ') = 1",
        f"{CLIENT} camera 4*4M=frames@44000000 4M=nothing",
        "/selftests/cma/cma_heap",
        "cd /dev/dma_heap && test -c frames@44000000 && test -c one && "
        f"test -c pool && test $(ls | grep -cx 'vault\\|two\\|spare') = {3 * ALL_HAVE_HEAPS}",
        # Which areas a device has, in order, and whether it reaches them.
        "cd /sys/kernel/debug/cma && grep -x 'codec 0 one reached' devices && "
        "grep -x 'codec 1 two reached' devices && "
        "grep -x 'display 2 - any' devices && ! grep plain devices",
    ],
    # The command line says what the system does with areas of the tree.
    append="cma_heap.areas=fra* cma_areas=two:first+spare:fallback+one:heap")

MANY = Case(
    "many", tree(POOL + "".join(f"""
	a{i}: a{i} {{ AREA size = <0 0x400000>; }};
	b{i}: b@4{i}000000 {{ AREA reg = <0 0x4{i}000000 0 0x400000>; }};
""" for i in range(2, 7)), devices(first="a2", last="b6")),
    steps=["- 4M=pool", "first 4M=a2", "last 4M=b@46000000"],
    expect=["^cma: a6: there are [89] areas already"])

# A table that is full when a node of several pieces comes: all of them are
# everybody's again.
LATE = Case(
    "late", tree("".join(f"""
	b{i}: b@4{i}000000 {{ AREA reg = <0 0x4{i}000000 0 0x400000>; }};
""" for i in range(2, 8)) + """
	b8: b@42800000 { AREA reg = <0 0x42800000 0 0x400000>; };
	b9: b@43800000 { AREA reg = <0 0x43800000 0 0x400000>; };
	late: late@44800000 {
		AREA
		reg = <0 0x44800000 0 0x400000>, <0 0x45800000 0 0x400000>;
	};
"""),
    append="cma=16M", steps=["- 4M=reserved"],
    commands=["cd /sys/kernel/debug/memblock && "
              "! grep -E '0x44800000|0x44bfffff|0x45800000|0x45bfffff' reserved"],
    expect=["^cma: late@44800000: there are 8 areas already"])

# 18 pieces, and the default area: each of them is mapped with pages.
SHREDS = Case(
    "shreds", tree("".join(f"""
	s{i}: shreds@{0x42000000 + i * 0x200000:x} {{
		AREA
		reg = """ + ", ".join(
    f"<0 {0x42000000 + i * 0x200000 + k * 0x800000:#x} 0 0x200000>"
    for k in range(6)) + """;
	};
""" for i in range(3)), devices(**{f"user{i}": f"s{i}" for i in range(3)}, plain="")),
    append="cma=16M",
    steps=[f"user{i} 6*2M=shreds@{0x42000000 + i * 0x200000:x} 2M=nothing"
           for i in range(3)] + ["plain 3*4M=reserved"])

# More than there is in one piece.
SIZE_PIECES = Case(
    "size-pieces", tree("""
	pool: pool { AREA size = <0 0x14000000>; linux,cma-default; };
""", devices(plain="")),
    append="vmalloc=768M", mem="512M",
    steps=["plain 128M=pool 64M=pool"],
    expect=[default("320 MiB", f"{ANYWHERE}, {ANYWHERE}", "pool",
                    zone="lowmem and highmem", source="the device tree")])

# Without an area of the command line's, of the device tree's or of both, it is
# the next in the order.
POOL_AT = """
	pool: pool@{0} {{
		AREA reg = <0 0x{0} 0 0x1000000>; linux,cma-default;
	}};
"""
NEXT = [
    Case("next-default-reg", tree(POOL_AT.format("44000000"), devices(plain="")),
         steps=["plain 3*4M=pool@44000000 4M=nothing"],
         expect=[default("16 MiB", "0x44000000", "pool@44000000", source="the device tree")]),
    Case("next-tree-reg", tree(POOL_AT.format("44000000"), devices(plain="")),
         append="cma=16M@0x48000000", steps=["plain 3*4M=pool@44000000"],
         expect=["^cma: reserved: .* overlaps the initial RAM disk at ",
                 default("16 MiB", "0x44000000", "pool@44000000", source="the device tree")]),
    Case("next-tree-size", tree(POOL, devices(plain="")), append="cma=16G",
         steps=["plain 3*4M=pool"],
         expect=['^cma: "cma=16G" ignored: number is too large$',
                 default("16 MiB", name="pool", source="the device tree")]),
    Case("next-configured", tree(POOL_AT.format("48000000"), devices(plain="")),
         append="cma=512M", steps=["plain 3*4M=reserved"],
         expect=["^cma: reserved: cannot reserve 0x20000000 bytes",
                 "^cma: pool@48000000: .* overlaps the initial RAM disk at ",
                 default("16 MiB", source="the configuration")]),
]


# More pieces than an area can be of; what is too much is everybody's again.
NINE = Case(
    "nine", tree("""
	pool: pool { AREA size = <0 0x1000000>; linux,cma-default; };
	shreds: shreds@42000000 {
		AREA
		reg = """ + ", ".join(f"<0 {at:#x} 0 0x400000>" for at in range(
			0x42000000, 0x46800000, 0x800000)) + """;
	};
""", devices(camera="shreds")),
    steps=["camera 8*4M=shreds@42000000 4M=nothing"],
    commands=["cd /sys/kernel/debug/memblock && grep 45bfffff reserved && "
              "! grep 463fffff reserved"],
    expect=["^cma: shreds@42000000: more than 8 pieces of memory$",
            "^cma: shreds@42000000: not in the area: 0x400000 bytes at "
            "0x46000000$"])

# The default area has its place however many others there are.
FULL = Case(
    "full", tree("".join(f"""
	a{i}: a{i} {{ AREA size = <0 0x400000>; }};
""" for i in range(9)), devices(first="a0")),
    steps=["- 4M=reserved", "first 4M=a0"], append="cma=16M",
    expect=["^cma: a8: there are 8 areas already",
            "^cma: reserved: 16 MiB at "])

# One cell an address on a board where all others have two.
CELLS = Case(
    "cells", tree("""
	frames: frames@44000000 { AREA reg = <0x44000000 0x1000000>; };
""", devices(camera="frames"), cells=1),
    append="cma=16M",
    steps=["camera 4M=nothing", "- 4M=reserved"],
    expect=["Reserved memory: unsupported node format, ignoring$"],
    refused=None)

LINE_WINS = Case(
    "line-wins", tree("""
	pool: pool { AREA size = <0 0x1000000>; linux,cma-default; };
	frames: frames@44000000 { AREA reg = <0 0x44000000 0 0x400000>; };
""", devices(camera="frames", display="pool")),
    append="cma=32M",
    steps=["- 20M=reserved", "display 4M=reserved",
           "camera 4M=frames@44000000 4M=nothing"],
    expect=["^cma: pool: .*command line"])

OVERLAY = Case(
    "overlay", tree("""
	pool: pool { AREA size = <0 0x800000>; linux,cma-default; };
""", """
	camera: camera { DEVICE memory-region = <&pool>; };
"""),
    overlays=["""
&pool { size = <0 0x1000000>; };
&{/reserved-memory} {
	late: late@44000000 { AREA reg = <0 0x44000000 0 0x800000>; };
};
&camera { memory-region = <&late>, <&pool>; };
&{/} { display { DEVICE memory-region = <&late>; }; };
"""],
    steps=["camera 2*4M=late@44000000 3*4M=pool 4M=nothing",
           "display 8M=late@44000000"],
    expect=[default("16 MiB", name="pool"),
            announced("late@44000000", "8 MiB", "0x44000000")])

# With little low memory, one piece of which lies in high memory.
VEXPRESS = Case(
    "vexpress", tree("""
	pool: pool { AREA size = <0x1000000>; linux,cma-default; };
	low: low@64000000 { AREA reg = <0x64000000 0x800000>; };
	high: high@74000000 { AREA reg = <0x74000000 0x800000>; };
	both: both@65000000 {
		AREA reg = <0x65000000 0x400000>, <0x75000000 0x400000>;
	};
""", devices(camera="low high", scaler="both"), cells=1),
    board="vexpress-a9", append="vmalloc=768M",
    steps=["- 3*4M=pool",
           "camera 2*4M=low@64000000 2*4M=high@74000000 4M=nothing",
           "scaler 2*4M=both@65000000 4M=nothing"],
    commands=["/selftests/cma/cma_heap"],
    expect=[announced("high@74000000", "8 MiB", "0x74000000", zone="highmem"),
            announced("both@65000000", "8 MiB", "0x65000000, 0x75000000",
                      zone="lowmem and highmem")])

# Buffers in high memory, as many as addresses hold: 240 MiB of them.
ADDRESSES = Case(
    "addresses", "", board="vexpress-a9", mem="1024M",
    append="cma=256M@0x90000000",
    steps=["- 14*16M=reserved 16M=nothing"],
    commands=["dmesg | grep -q 'no 16384 KiB of addresses for a buffer in high'"],
    expect=["^cma: reserved: 256 MiB at 0x90000000"])

# The manual's examples are booted as they stand there, on a board with these.
DEVICES = "/ {\n%s};\n" % devices(camera="", scaler="", signal="", display="", plain="")

NAMED = "devices that ask for it"
MANUAL = {
    "cma=64M": Case(
        "manual-size", DEVICES, steps=["plain 3*16M=reserved"], expect=[default("64 MiB")]),
    "cma=32M@0x44000000": Case(
        "manual-address", DEVICES, steps=["plain 16M=reserved"],
        expect=[default("32 MiB", "0x44000000")]),
    "cma=32M@0x44000000-0x47000000": Case(
        "manual-range", DEVICES, steps=["plain 16M=reserved"],
        expect=[default("32 MiB", "0x4[45][0-9a-f]{6}")]),
    "cma_areas=banka=8M;banka/camera,scal*=8M": Case(
        "manual-types", DEVICES, steps=[
            # Its own, and nobody else's; the common one is for who asks.
            "camera 2*4M=banka-camera-scal 4M=nothing",
            "scaler 8M=banka-camera-scal",
            "scaler use=banka 8M=banka-camera-scal 8M=banka 4M=nothing",
            "plain use=banka 2*4M=banka 4M=nothing",
            "plain use= unknown=bankb 4M=reserved"],
        expect=[announced("banka", "8 MiB", ANYWHERE, users=NAMED),
                announced("banka-camera-scal", "8 MiB", ANYWHERE,
                          users=r"camera,scal\*")]),
    "cma_areas=banka=8M@0x44000000-0x48000000/8M;"
    "vault/signal=300K:exclusive:first": Case(
        "manual-options", DEVICES, steps=[
            "plain use=banka 8M=banka 4M=nothing",
            "signal idle=vault-signal 256K=vault-signal 32K=vault-signal "
            "8K=vault-signal 64K=nothing"],
        expect=[announced("banka", "8 MiB", "0x4[4-7][08]00000",
                          users=NAMED),
                announced("vault-signal", "300 KiB", ANYWHERE, "exclusive",
                          "signal")],
        commands=["cd /sys/kernel/mm/cma && grep -x first vault-signal/fit "
                  "&& grep -x best banka/fit"]),
    "cma=32M cma_areas=bankb=0:fallback;spare/display=4M:fallback": Case(
        "manual-fallback", DEVICES, steps=[
            "plain use=bankb 4M=reserved",
            # Then the default area, then ordinary pages.
            "display 4M=spare-display 7*4M=reserved 4M=none"]),
    "cma_areas=dma=16M;dma/signal=8M": Case(
        "manual-default", DEVICES, steps=[
            "plain 3*4M=dma 4M=nothing",
            "signal 2*4M=dma-signal 4M=nothing"],
        expect=[default("16 MiB", name="dma")]),
    # On the tree of the manual.
    "cma_areas=frames@44000000:fallback:first;vault:heap": Case(
        "manual-elsewhere", "", steps=["codec idle=vault 1M=vault"],
        commands=["grep -x first /sys/kernel/mm/cma/frames@44000000/fit",
                  "test -c /dev/dma_heap/vault && "
                  f"test $(ls /dev/dma_heap | grep -c frames) = {1 * ALL_HAVE_HEAPS}"]),
}
MANUAL_TREE = Case(
    "manual-tree", "", steps=[
        "- 7*4M=pool 4M=nothing",
        "codec 1M=vault 2*8M=frames@44000000 4M=pool",
        "codec use=frame 8M=frames@44000000 use=firmware 1M=vault",
        "codec idle=vault lent=frames@44000000"],
    expect=[default("32 MiB", name="pool"),
            announced("frames@44000000", "16 MiB", "0x44000000, 0x46000000"),
            announced("vault", "1024 KiB|1 MiB", "0x4[ab][0-9a-f]{6}",
                      "exclusive")])

# A separator that needs no quotes, and the parameter twice.
PLUS = Case(
    "plus", DEVICES,
    append="cma=16M cma_areas=banka=8MB+banka/camera=4M+ cma_areas=two=4M",
    steps=["camera 4M=banka-camera 4M=nothing",
           "plain use=banka 8M=banka use=two 4M=two"],
    expect=[announced("banka", "8 MiB", ANYWHERE, users=NAMED,
                      source="the command line")])

# The command line makes an area guaranteed, its own and one of the device tree that
# would be exclusive.
GUARANTEED = Case(
    "guaranteed", tree(POOL + """
	vault: vault { AREA size = <0 0x800000>; reclaim-latency-us = <0>; };
""", devices(signal="")),
    append="cma_areas=vault:guaranteed+odd/signal=300K:guaranteed",
    steps=["signal idle=odd-signal 256K=odd-signal 64K=nothing"],
    commands=["cd /sys/kernel/mm/cma && grep -x guaranteed vault/mode && "
              "grep -x guaranteed odd-signal/mode && grep -x 0 vault/stored/pages && "
              "echo shared >vault/mode && echo guaranteed >vault/mode && "
              "! echo nothing >vault/mode"],
    expect=[announced("odd-signal", "300 KiB", ANYWHERE, "guaranteed", "signal")],
    refused=None)

# samples/cma/board.c, and the command line with the types that it defines.
BOARD = Case(
    "board", """/ {
	compatible = "linux,cma-sample", "linux,dummy-virt";
	codec { DEVICE };
	sample-camera { DEVICE };
	scaler { DEVICE };
};
""",
    append="cma=16M cma_areas=banka/scaler=4M",
    steps=["codec idle=banka-codec 4M=banka-codec 1M=nothing",
           "codec use=bankb 16M=bankb 4M=banka-codec 1M=nothing",
           "sample-camera 16M=bankb 4M=reserved",
           "sample-camera use=frame 16M=bankb",
           "scaler 4M=banka-scaler 4M=nothing"],
    expect=[announced("banka-codec", "4 MiB", "0x4[4-7][0-9a-f]{6}",
                      "exclusive", "codec"),
            announced("bankb", "16 MiB", "0x4[89ab][0-9a-f]{6}", users=NAMED),
            announced("banka-scaler", "4 MiB", "0x4[4-7][0-9a-f]{6}",
                      users="scaler")])

# Buffers are zeroed, whatever the mode and the shape of their area.
INIT = Case(
    "init-on-alloc", tree(POOL + """
	vault: vault { AREA size = <0 0x800000>; reclaim-latency-us = <0>; };
	tiny: tiny@44101000 { AREA reg = <0 0x44101000 0 0x7000>; };
	crooked: crooked@44380000 { AREA reg = <0 0x44380000 0 0x900000>; };
"""),
    append="init_on_alloc=1 kunit.enable=1 kunit.filter_glob=cma_alloc.memory*",
    commands=["grep -x exclusive /sys/kernel/mm/cma/vault/mode"],
    expect=["mem auto-init: .*heap alloc:on",
            announced("tiny@44101000", "28 KiB", "0x44101000", PARTS)],
    refused=None)

# Not enough memory in one piece: low memory and high memory together.
PIECES = Case(
    "pieces", DEVICES, append="cma=320M vmalloc=768M", mem="512M",
    steps=["plain 128M=reserved 64M=reserved"],
    expect=[default("320 MiB", f"{ANYWHERE}, {ANYWHERE}", zone="lowmem and highmem")])


@dataclass
class Ram:
    """A board by where its RAM begins."""
    board: str
    base: int
    cells: int
    mem: str
    has_highmem: bool = True

    def zone(self, zone: str | None) -> str | None:
        """What the log says of it, if the kernel knows more than one."""
        return zone if self.has_highmem else None

    def at(self, offset: int) -> str:
        return f"{self.base + offset:x}"

    def reg(self, offset: int, size: int) -> str:
        """<address size>, the address from the start of RAM."""
        high = "0 " * (self.cells - 1)
        return f"<{high}{self.base + offset:#x} {high}{size:#x}>"

    def size(self, size: int) -> str:
        return f"<{'0 ' * (self.cells - 1)}{size:#x}>"


RAMS = [Ram("versatilepb", 0, 1, "256M", has_highmem=False),
        Ram("virt", 0x40000000, 2, "256M"),
        Ram("vexpress-a15", 0x80000000, 2, "512M"),
        Ram("mcimx6ul-evk", 0x80000000, 1, "512M")]


def forms_at(ram: Ram) -> Case:
    """All forms of a node, and none of them where a later word of the board's
    says that the memory is somebody else's."""
    where = {f"o{i:02x}": ram.reg(i << 20, 4 << 20) for i in range(0, 256, 4)}
    names = {f"n{i:02x}": ram.at(i << 20) for i in range(0, 256, 4)}
    return Case(
        f"forms-{ram.board}", f"/memreserve/ {ram.base + 0x5800000:#x} 0x1000;"
        + tree("""
	early: early@{n50} {{ AREA reg = {o50}; }};
	ram: ram@{n54} {{ AREA reg = {o54}; }};
	kept: kept@{n58} {{ AREA reg = {o58}; }};
	frames: frames@{n40} {{ AREA reg = {o40}; }};
	pieces: pieces@{n44} {{ AREA reg = {o44}, {o4c}; }};
	within: within {{
		AREA size = {size}; alloc-ranges = {o48}, {o5c};
	}};
	one: one {{ AREA size = {size}; }};
	vault: vault {{ AREA size = {size}; reclaim-latency-us = <999>; }};
	pool: pool {{ AREA size = {size}; linux,cma-default; }};
	firmware: firmware@{n50} {{ no-map; reg = {o50}; }};
	ramoops: ramoops@{n54} {{ reg = {o54}; }};
""".format(size=ram.size(4 << 20), **where, **names), devices(
    camera="frames", scaler="pieces", codec="within one", signal="vault", plain=""),
               cells=ram.cells),
        board=ram.board, mem=ram.mem,
        steps=[f"camera 2*2M=frames@{names['n40']} 2M=nothing",
               f"scaler 4*2M=pieces@{names['n44']} 2M=nothing",
               "codec 2*2M=within 2*2M=one 2M=nothing",
               "signal 2*2M=vault 2M=nothing", "plain 1M=pool"],
        expect=[rf"^cma: early@\w+: .* overlaps firmware@{names['n50']} at ",
                rf"^cma: ram@\w+: .* overlaps ramoops@{names['n54']} at ",
                r"^cma: kept@\w+: .* overlaps /memreserve/ at ",
                rf"0x0*{names['n50']}\.\..* nomap ",
                announced("within", "4 MiB", f"0x0*{names['n48']}",
                          zone=ram.zone("lowmem"))])


def line_at(ram: Ram, name: str, line: str, said: list[str], serves: str = "16 MiB") -> Case:
    """The command line has what is somebody else's: the configuration serves,
    or the line if nothing is said."""
    return Case(
        f"{name}-{ram.board}", tree(f"""
	firmware: firmware@{ram.at(0x4000000)} {{
		no-map; reg = {ram.reg(0x4000000, 0x1000000)};
	}};
""", devices(plain=""), cells=ram.cells),
        board=ram.board, mem=ram.mem, append=line,
        steps=["plain 4M=reserved"],
        expect=said + [default(serves, "0x[0-9a-f]+", zone=ram.zone("\\w+"))])


NO_AREAS = "/ {\n%s};\n" % devices(plain="")
ON_RAMS = [
    *map(forms_at, RAMS),
    *(line_at(ram, "nomap", f"cma=8M@{ram.base + 0x4400000:#x}", [
        r"^cma: reserved: .* overlaps firmware@\w+ at "]) for ram in RAMS),
    *(line_at(ram, "address", f"cma=30M@{ram.base + 0x5000000:#x}", [], "32 MiB")
      for ram in RAMS),
    # No 300 MiB in one piece: several, around the RAM disk and the firmware.
    Case("halves", tree("""
	firmware: firmware@90000000 { no-map; reg = <0 0x90000000 0 0x1000000>; };
""", devices(plain="")), board="vexpress-a15", mem="512M",
         append="cma=300M", steps=["plain 4M=reserved 64M=reserved"],
         expect=["0x90000000\\.\\.0x90ffffff .* nomap ",
                 default("300 MiB", "0x8[0-7][0-9a-f]{6}, 0x8[89a-f][0-9a-f]{6}, "
                         "0x9[1-9a-f][0-9a-f]{6}", source="the command line")]),
    # The crash kernel's memory is reserved long after the areas.
    Case("crash", NO_AREAS,
         append="crashkernel=32M@0x44000000 crashkernel=16M,low "
         "cma=16M@0x44000000",
         steps=["plain 4M=reserved"],
         expect=["^cma: reserved: .* overlaps crashkernel= at 0x44000000-",
                 default("16 MiB", source="the configuration")]),
    Case("crash-top", NO_AREAS,
         append="crashkernel=512M-:16M,2G-:32M@0x4e000000 cma=16M",
         steps=["plain 4M=reserved"],
         expect=[default("16 MiB", "0x4d000000", source="the command line")]),
]


def beside_kernel(end: int) -> Case:
    """An area in the last section of the kernel's, which ends at @end."""
    return Case("beside-kernel", DEVICES, append=f"cma=512K@{end:#x}",
                steps=["plain 4M=reserved"],
                expect=["^cma: reserved: .* overlaps the kernel at 0x40", default("16 MiB")])


# Memory for who cannot wait, from an area in low memory and from one in high:
# no whole number of pages, none at all, more than there is.
KUNIT_DMA = "kunit.enable=1 kunit.filter_glob=cma_[dm]*"
POOL_SIZES: list[tuple[str, int, list[str]]] = [
    ("100000", 100, []),
    ("0", 256, [r"^cma: coherent_pool= ignored: no 0 KiB to be had$"]),
    ("32M", 256, [r"^cma: coherent_pool= ignored: no 32768 KiB to be ha"])]
POOLS = [
    Case(f"pool-{i}-{board}", "", board=board, mem="384M",
         append=f"{append} coherent_pool={pool} {KUNIT_DMA}",
         steps=["- 4M=reserved"], expect=[f"^DMA: preallocated {said} KiB pool",
                                          *expect])
    for board, append in (("virt", "cma=16M"),
                          ("vexpress-a9", "cma=16M vmalloc=768M"))
    for i, (pool, said, expect) in enumerate(POOL_SIZES)
]


def manual(rst: Path) -> tuple[list[str], list[str]]:
    """The examples of the manual: what it says on the command line, and in the
    device tree."""
    blocks = re.findall(r"::\n\n((?:\t.*\n|\n)+)", rst.read_text())
    lines = [b.strip() for b in blocks if re.match(r"\tcma\w*=", b)]
    trees = [b for b in blocks if b.startswith("\t/ {")]
    return lines, trees


def manual_cases(rst: Path) -> list[Case]:
    """A case for each example, which is what it boots."""
    lines, trees = manual(rst)
    if sorted(lines) != sorted(MANUAL) or len(trees) != 1:
        raise ValueError(f"{rst}: no case for {set(lines) ^ set(MANUAL)}")
    for line, case in MANUAL.items():
        case.append = line
        case.nodes = case.nodes or trees[0]
    MANUAL_TREE.nodes = trees[0]
    return [*MANUAL.values(), MANUAL_TREE]


TREES = [FORMS, MANY, NINE, FULL, CELLS, LINE_WINS, OVERLAY, VEXPRESS, LATE,
         SHREDS, SIZE_PIECES, *NEXT]
OTHERS = [PLUS, GUARANTEED, BOARD, INIT, PIECES, ADDRESSES, *POOLS, *ON_RAMS]
