# SPDX-License-Identifier: GPL-2.0
"""Declarations of areas that are wrong, or in each other's way: each costs its
area and no more, and has its message. The stage areas of check.py boots them.
"""

from stages.area_case import (ANYWHERE, PARTS, POOL, Case, announced, default, devices,
                              tree)
from stages.areas import DEVICES, NAMED
from trees import bases

# Kernels differ in the heap of an area that is called like another heap, and in
# the messages on pools that are not lent, which belong to kernel/dma/coherent.c.
if bases.VERSION:
    HEAPS = "cma_heap.areas=system "
    SAME_NAME = "test -c cma-system"
    NO_HEAP = []
    NOT_LENT = ['^cma: kept: no area: "reusable" is missing$',
                "^cma: common: no area, and not the default one: .reusable. is mis"]
else:
    HEAPS = ""
    SAME_NAME = "! ls cma-system"
    NO_HEAP = ["^cma: system: no heap, another one has this name$"]
    NOT_LENT = ["^Reserved memory: regions without no-map are not yet supported$",
                "^OF: reserved mem: node common compatible matching fail$"]

ODD = Case(
    "odd", tree(POOL + """
	again: again { AREA size = <0 0x400000>; linux,cma-default; };
	tiny: tiny@44101000 { AREA reg = <0 0x44101000 0 0x7000>; };
	crooked: crooked@44380000 { AREA reg = <0 0x44380000 0 0x900000>; };
	unmapped: unmapped@45000000 {
		AREA no-map; reg = <0 0x45000000 0 0x400000>;
	};
	below: below@46000000 { AREA reg = <0 0x46000000 0 0x800000>; };
	above: above@46400000 { AREA reg = <0 0x46400000 0 0x800000>; };
	ramdisk: ramdisk@48000000 { AREA reg = <0 0x48000000 0 0x1000000>; };
	nowhere: nowhere@90000000 { AREA reg = <0 0x90000000 0 0x400000>; };
	far: far@144000000 { AREA reg = <1 0x44000000 0 0x400000>; };
	wide: wide@44000000 { AREA reg = <0 0x44000000 1 0x400000>; };
	beyond: beyond { AREA size = <1 0x400000>; };
	aside: aside {
		AREA size = <0 0x400000>;
		alloc-ranges = <1 0x44000000 0 0x1000000>;
	};
	empty: empty@47000000 { AREA reg = <0 0x47000000 0 0>; };
	zero: zero { AREA size = <0 0>; };
	huge: huge { AREA size = <0 0x20000000>; };
	uneven: uneven { AREA size = <0 0x400000>; alignment = <0 0x300000>; };
	short: short@47400000 { AREA reg = <0 0x47400000 0>; };
	picky: picky@47800000 {
		AREA reg = <0 0x47800000 0 0x400000>;
		reclaim-latency-us = <1000 0>;
	};
	firmware: firmware@43000000 {
		no-map; reg = <0 0x43000000 0 0x100000>;
	};
	beside: beside@43100000 { AREA reg = <0 0x43100000 0 0x80000>; };
	system: system { AREA size = <0 0x400000>; };
	lenient: lenient@91000000 {
		AREA reg = <0 0x91000000 0 0x400000>;
	};
	asleep: asleep@92000000 {
		AREA reg = <0 0x92000000 0 0x400000>; status = "disabled";
	};
""", devices(small="tiny", slanted="crooked", lost="unmapped", stray="firmware",
            modest="lenient", halved="below above", sleeper="asleep",
            chooser="picky", neighbour="beside", vain="huge")),
    # Memory of a no-map node is not mapped, though its page table is an area's.
    # A heap called like another one gets a name of its own.
    commands=["grep ^0xc3100000- /sys/kernel/debug/kernel_page_tables",
              f"cd /dev/dma_heap && test -c system && {SAME_NAME}"],
    steps=[
        "- 3*4M=pool",
        # 28 KiB, and nobody else may use what is around.
        "small 16K=tiny@44101000 8K=tiny@44101000 4K=tiny@44101000 4K=nothing",
        "slanted 8M=crooked@44380000 512K=crooked@44380000 4M=nothing",
        "stray 4M=pool",
        # Nothing instead of an area that was refused, unless somebody says so.
        "lost 4M=nothing 4K=nothing use=dma 4M=nothing",
        "modest 4M=pool",
        "vain 4M=pool",
        "halved 4K=nothing 1M=nothing",
        "sleeper 4M=pool",
        "chooser 4M=picky@47800000",
        "neighbour 512K=beside@43100000 4K=nothing",
    ],
    expect=[
        *NO_HEAP,
        default("16 MiB", name="pool"),
        "^cma: again: not the default area, that is pool$",
        announced("tiny@44101000", "28 KiB", "0x44101000", PARTS),
        announced("crooked@44380000", "9 MiB", "0x44380000", PARTS),
        '^cma: unmapped@45000000: .*"no-map" exclude each other$',
        "^cma: above@46400000: .* overlaps area below@46000000$",
        "^cma: ramdisk@48000000: .* overlaps the initial RAM disk at 0x48",
        "^cma: nowhere@90000000: .* is not all memory$",
        "^cma: far@144000000: 0x400000 bytes at 0x144000000 are not within",
        "^cma: wide@44000000: 0x100400000 bytes at 0x44000000 are not within",
        "^cma: beyond: 0x100400000 bytes, .* more than this kernel reaches$",
        "^cma: aside: alloc-ranges: 0x1000000 bytes at 0x144000000 are not",
        "^cma: empty@47000000: 0x?0 bytes at .* make no sense$",
        "^cma: zero: a size of 0x?0 bytes makes no sense$",
        "^cma: huge: cannot reserve 0x20000000 bytes, there are ",
        "^cma: uneven: alignment 0x300000 is not a power of two$",
        "^cma: short@47400000: reg: 2 cells for each address and 2 for each ",
        '^cma: picky@47800000: reclaim-latency-us ignored, one cell expected$',
        # Another kind of memory than an area is the driver's business.
        "cma_test lost: cma: /reserved-memory/unmapped@45000000 is no area.*"
        "; so no memory for this device$",
        "cma_test modest: cma: /reserved-memory/lenient@91000000 is no area.*"
        " after boot$",
        "cma_test modest: cma: other memory does for it$",
        "^cma: lenient@91000000: there is no such area for cma_areas= to chan",
        "^cma: nobody: there is no such area for cma_areas= to change$",
        "cma_test halved: cma: /reserved-memory/above@46400000 is no area",
        "cma_test small: cma: takes memory from tiny@44101000$",
    ],
    append=HEAPS +
           "cma_areas=lenient@91000000:fallback+nobody:heap+huge:fallback",
    refused=["short@47400000:reg:0: .* is too short",
             "unmapped@45000000: .* not be valid under .*'reusable'",
             "unmapped@45000000: .* not be valid under .*'no-map'",
             "unmapped@45000000: Unevaluated properties"])

# Messages of entries that are wrong; the others hold.
LINE = Case(
    "line", DEVICES,
    append="cma=16M cma_areas=bad=3X;a/,b=4M;good/camera=4M;c=4M:often;"
           "low=4M@0x1000;in/use,scaler=4M@0x48000000;good/camera=4M;"
           "far/display=4M@0x90000000:fallback;odd/signal=4Q;;",
    steps=["camera 4M=good-camera 4M=good-camera-1 4M=nothing",
           # Devices of an area that could not be had get no other memory.
           "scaler 4M=nothing 4K=nothing", "signal 4M=nothing",
           "display 4M=reserved", "plain 2*4M=reserved"],
    expect=[r'^cma: "bad=3X" in cma_areas= ignored: unknown unit',
            r'^cma: "a/,b=4M" in cma_areas= ignored: name of a device',
            r'^cma: "c=4M:often" in cma_areas= ignored: unknown option',
            "^cma: low: .*0x00001000.* is not all memory",
            "^cma: in-use-scaler: .* overlaps the initial RAM disk at 0x48",
            "cma_test scaler: cma: there is no area in/use,scaler, so no mem",
            "cma_test display: cma: there is no area far/display$",
            "cma_test display: cma: other memory does for it$",
            "cma_test signal: cma: there is no area odd/signal, so no memory",
            r'^cma: "" in cma_areas= ignored: a name is missing'])

# mm/cma/tests/board_test.c: what makes no sense is left out, or ignored.
TEST_BOARD = Case(
    "test-board", """/ {
	compatible = "linux,cma-test-board", "linux,dummy-virt";
	camera { DEVICE };
	plain { DEVICE };
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		/* Where board code's areas would lie if they came first. */
		firmware@4f000000 { no-map; reg = <0 0x4f000000 0 0x1000000>; };
	};
};
""",
    append="cma=16M",
    steps=["camera 4M=odd-camera 1M=nothing",
           "plain use=type8 4M=type8 4M=nothing unknown=type9"],
    commands=["grep -x best /sys/kernel/mm/cma/odd-camera/fit"],
    expect=["^cma: type9: more than 8 memory types$",
            r"0x4f000000\.\.0x4fffffff .* nomap ",
            announced("told", "4 MiB", "0x4ec00000", users=NAMED,
                      source="board code"),
            '^cma: odd-camera: fit "worst" ignored, best or first expected$',
            "^cma: uneven: alignment 0x00c00000 is not a power of two$",
            announced("odd-camera", "4 MiB", ANYWHERE, users="camera"),
            announced("type8", "4 MiB", "0x4[45][0-9a-f]{6}", users=NAMED),
            # Board code marked this memory in memblock.
            "^cma: unmapped: .* overlaps memory that must not be mapped at 0x46",
            "^cma: used: .* overlaps memory that is in use at 0x46400000-",
            # Areas of the kernel's own code.
            "^cma: unreserved: 0x46800000.* is not reserved memory$",
            "^cma: coarse: buffers of order 20 are more than there is memory$",
            "^cma: slanted: 0x46801000.* is not aligned to 0x00010000$",
            "^cma: twice: 0x46900000.* overlaps area made$",
            "^cma: hollow: 0x46c00000.* must not be mapped at 0x46c00000-",
            "^cma: beyond: pfn 0x90000 is no memory$",
            r"^cma: beyond: not usable \(-\d+\)$",
            "^cma: n{99}: no room for more names$",
            r"^cma: n{99}: more than \d+ areas in board code, see CONFIG_CMA"])

# Lengths that fit no cells, a pool that is not lent, and a line that says nothing.
SAYS_NOTHING = Case(
    "says-nothing", tree("""
	cut: cut { AREA size = <0x400000>; };
	strange: strange { AREA size = <0 0x400000>; alloc-ranges = <0x44000000>; };
	kept: kept { compatible = "shared-dma-pool"; size = <0 0x400000>; };
	common: common {
		compatible = "shared-dma-pool"; size = <0 0x400000>;
		linux,cma-default;
	};
""", devices(plain="")),
    append="cma=16M cma_areas= cma_areas=tight=16M@0x47f00000-0x49000000+"
           + "+".join(f"a{i}:heap" for i in range(80)),
    steps=["plain 4M=reserved"],
    expect=["^cma: cut: size: 2 cells expected$",
            "^cma: strange: alloc-ranges: 2 cells for each address and 2 for ",
            *NOT_LENT,
            '^cma: "cma_areas=" ignored: an area is missing$',
            "^cma: tight: no room for 0x01000000 bytes between 0x47f00000 and ",
            r"^cma: a\d+: more than \d+ areas with options in cma_areas=$",
            "^cma: a0: there is no such area for cma_areas= to change$"],
    refused=None)

# More than anybody keeps book of: then nobody knows what is free.
RESERVES = Case(
    "reserves", "".join(f"/memreserve/ {0x43000000 + (i << 12):#x} 0x1000;\n"
                        for i in range(300)) + DEVICES,
    append="cma=16M", commands=[
        "echo TAP version 13; echo 1..1; ls /sys/kernel/mm/cma/* && "
        "echo not ok 1 an area || echo ok 1 no area"],
    expect=[r"^cma: the board reserves more than \d+ ranges of memory, there wi"])

# Firmware's memory all over, so that the configured size is nowhere to be had.
LESS = Case(
    "less", tree("".join(f"""
	f{i}: f@{at:x} {{ no-map; reg = <0 {at:#x} 0 0x1000>; }};
""" for i, at in enumerate(range(0x40200000, 0x50000000, 0x400000))
        if at not in (0x4c200000, 0x4c600000)), devices(plain="")),
    steps=["plain 4M=reserved"],
    expect=["^cma: reserved: no room for 0x01000000 bytes, 0x00[48]00000 have"])

# Areas that another one, or an address, stands in the way of.
WISHES = [
    # The first of the defaults counts, and none if the command line has one.
    Case("two-defaults", tree("""
	pool: pool { AREA size = <0 0x800000>; linux,cma-default; };
	second: second { AREA size = <0 0x400000>; linux,cma-default; };
""", devices(display="second", scaler="pool", plain="")), append="cma=16M",
         steps=["display 4M=second", "plain 3*4M=reserved",
                "scaler 4M=reserved"],
         expect=["^cma: second: not the default area, the command line has",
                 "^cma: pool: not used, the command line has cma=$"]),
    # One that steps in is that of its devices, too.
    Case("spare-size", tree(POOL, devices(display="pool", plain="")),
         append="cma=16M@0x48000000",
         steps=["display 4M=pool", "plain 4M=pool"],
         expect=["^cma: reserved: .* overlaps the initial RAM disk"]),
    # An address that cannot be had keeps nobody away, and an alignment is none
    # of the size.
    Case("vain-wish", tree("""
	one: one { AREA size = <0 0x400000>; };
	slanted: slanted {
		AREA size = <0 0x1000000>; alignment = <0 0x4000000>;
	};
""", devices(camera="one slanted")),
         append="cma=240M@0x40000000",
         steps=["camera 4M=one 4*4M=slanted 4M=nothing"],
         expect=["^cma: reserved: .* overlaps the kernel at ",
                 announced("slanted", "16 MiB", "0x4[4c]000000")]),
    # With no area on purpose, ordinary memory is what there is.
    Case("zero", tree(POOL, devices(display="pool")),
         append="cma=0 cma_areas=other=4M", steps=["display 64K=none 4M=none"],
         expect=["^cma: pool: not used, the command line has cma=$"]),
    Case("no-node", tree("""
	frames: frames@44000000 { AREA reg = <0 0x44000000 0 0x800000>; };
""", """
	camera { DEVICE memory-region = <0>, <&frames>; };
	display { DEVICE memory-region = <&frames>, <0xbeef>; };
"""), append="cma=16M", steps=["camera 2*4M=frames@44000000 4M=nothing",
                               "display 4K=nothing 4M=nothing"],
         expect=["cma_test display: cma: memory-region 1 is no node of the de"]),
    # All of 1 GiB, of which the end is nobody's.
    Case("top", tree("""
	frames: frames@7c000000 { AREA reg = <0 0x7c000000 0 0x4000000>; };
""", devices(camera="frames")), mem="1G",
         append="cma=16M", steps=["camera 4*16M=frames@7c000000 4M=nothing"]),
    Case("crash-last", DEVICES, steps=["plain 4M=reserved"],
         append="crashkernel=32M@0x44000000 crashkernel=16M@0x46000000 "
                "cma=16M@0x44000000",
         expect=[default("16 MiB", "0x44000000")]),
]

LONG = "a-node-whose-name-goes-on-and-on-until-no-area-can-be-called-by-it-"

# A declaration that is refused leaves nothing behind that is in others' way.
LEFTOVERS = [
    # The last place in the table is the next default area's.
    Case("default-lost", tree("""
	pool: pool@48000000 {
		AREA reg = <0 0x48000000 0 0x1000000>; linux,cma-default;
	};
""" + "".join(f"\ta{i}: a{i} {{ AREA size = <0 0x400000>; }};\n"
              for i in range(9)), devices(camera="a0")),
         steps=["camera 4M=a0", "- 4M=reserved"],
         expect=["^cma: pool@48000000: .* overlaps the initial RAM disk",
                 "^cma: a8: there are 8 areas already", default("16 MiB")]),
    Case("default-lost-line", DEVICES,
         append="cma=16M@0x48000000 cma_areas="
                + "+".join(f"a{i}=4M" for i in range(9)),
         steps=["plain 4M=reserved"],
         expect=["^cma: reserved: .* overlaps the initial RAM disk",
                 "^cma: a8: there are 8 areas already"]),
    # Nor is its memory kept any longer, unless nobody is to have that.
    Case("refused-wish", tree("""
	f: f@42000000 {
		AREA reg = <0 0x42000000 0 0x6000000>, <0 0x90000000 0 0x1000>;
	};
	g: g@49000000 {
		AREA reg = <0 0x49000000 0 0x6800000>, <0 0x49800000 0 0x1000>;
	};
""", devices(plain="")), append="cma=96M", steps=["plain 32M=reserved"],
         expect=["^cma: f@42000000: ", "^cma: g@49000000: ", default("96 MiB")]),
    Case("no-map-reusable", tree("""
	fw: fw@44000000 { AREA no-map; reg = <0 0x44000000 0 0x1000000>; };
""", devices(camera="fw")), append="cma=16M",
         steps=["camera 4M=nothing"], refused=None,
         commands=["grep -E '0x0*44000000..0x0*44ffffff .*NOMAP' "
                   "/sys/kernel/debug/memblock/memory"],
         expect=["^cma: fw@44000000: .reusable. and .no-map. exclude"]),
    Case("neither", tree("""
	a: a { AREA linux,cma-default; };
	b: b@44000000 { AREA };
""", devices(camera="a", scaler="b")), refused=None,
         steps=["- 4M=reserved", "camera 4M=nothing", "scaler 4M=nothing"],
         expect=["^cma: a: reg or size is missing$",
                 "^cma: b@44000000: reg or size is missing$"]),
    # A device that a wrong entry may mean gets no other memory.
    Case("wrong-entries", DEVICES,
         append="cma=16M cma_areas=far/display=4Q:fallback+banka/camera:fallback"
                "+/signal=4M+x/scaler/plain=4M",
         steps=["display 4M=reserved", "camera 4M=reserved", "signal 4M=nothing",
                "plain 4M=nothing", "scaler 4M=nothing"]),
    Case("comma", DEVICES,
         append="cma=16M cma_areas=banka/camera=4M,bankb/scaler=8M+"
                "vault/signal=4M/3M+c/display",
         steps=["camera 4M=nothing", "scaler 4M=nothing", "signal 4M=nothing",
                "display 4M=nothing", "plain 4M=reserved"]),
    # An area's name is shorter than a node's may be, and is a folder's.
    Case("names", tree(f"""
	a: {LONG}a {{ AREA size = <0 0x400000>; }};
	b: {LONG}b {{ AREA size = <0 0x400000>; }};
""", devices(camera="a", scaler="b")), steps=[f"camera 4M={LONG[:63]}"],
         append=f"cma=16M cma_areas=..=4M:heap+-=4M+{LONG}a:exclusive",
         commands=["test $(grep -lx exclusive /sys/kernel/mm/cma/a-node*/mode "
                   "| wc -l) = 1",
                   "test $(ls -d /sys/kernel/mm/cma/a-node* | wc -l) = 2"],
         expect=['^cma: "..=4M:heap" in cma_areas= ignored: a name has nei',
                 '^cma: "-=4M" in cma_areas= ignored: a name has nei']),
]

# Pages of 2 MiB that the kernel maps in two halves, each in its own way.
ODD_MIB = """
	fw: fw@43e80000 { no-map; reg = <0 0x43e80000 0 0x80000>; };
"""
TABLES = [
    Case("odd-mib", tree(ODD_MIB + """
	b: b@43f00000 { AREA reg = <0 0x43f00000 0 0x800000>; };
""", devices(camera="b")), append="cma=16M",
         steps=["camera 1M=b@43f00000 4M=b@43f00000 2*1M=b@43f00000 "
                "1M=b@43f00000"]),
    Case("odd-halves", tree(ODD_MIB + """
	b: b@43f00000 { AREA reg = <0 0x43f00000 0 0x80000>; };
	c: c@43f80000 { AREA reg = <0 0x43f80000 0 0x80000>; };
	d: d@44000000 { AREA reg = <0 0x44000000 0 0x400000>; };
""", devices(camera="d", scaler="c", signal="b")), append="cma=16M",
         steps=["camera 4M=d@44000000", "scaler 512K=c@43f80000",
                "signal 512K=b@43f00000"]),
    Case("odd-hole", DEVICES,
         append="mem=64000K@0x40000000 mem=160M@0x43f00000 cma=2M@0x43f00000",
         steps=["- 512K=reserved 1M=reserved"]),
    # Nothing is free below the area for its page tables.
    Case("full-below", tree("""
	fw: fw@40a12000 { reg = <0 0x40a12000 0 0x1ee000>; };
	low: low@40008000 { reg = <0 0x40008000 0 0xf8000>; };
	a: a@40c00000 { AREA reg = <0 0x40c00000 0 0x4000000>; };
""", devices(camera="a")), append="cma=16M",
         steps=["camera 4M=a@40c00000"]),
    Case("full-below-at-0", tree("""
	fw: fw@6a0000 { reg = <0x6a0000 0x160000>; };
	a: a@800000 { AREA reg = <0x800000 0x4000000>; };
""", devices(camera="a"), cells=1),
         board="versatilepb", append="cma=16M", steps=["camera 4M=a@800000"]),
]

CASES = [ODD, *WISHES, *LEFTOVERS, *TABLES, LINE, TEST_BOARD, SAYS_NOTHING, RESERVES,
         LESS]
