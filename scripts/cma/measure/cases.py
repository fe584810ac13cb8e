# SPDX-License-Identifier: GPL-2.0
"""What is measured, and what should come of it.

Owns the table of cases, that of boots, and that of goals. Sizes are KiB.
Times are thousands of instructions: under -icount a nanosecond of the guest
is one instruction. What the kinds of a case do is in guest/bench_*.c.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from trees import bases


@dataclass
class Case:
    """kind: of guest/bench.c. sizes: of the buffers, KiB. figures: what of it
    goes into the table; see figures.py. varies: a second run gives other
    figures, for the host's disk or clock takes part."""
    name: str
    what: str
    kind: str
    samples: int
    sizes: list[int]
    figures: Sequence[str] = ("median", "worst", "free")
    varies: bool = False

    @property
    def command(self) -> str:
        return " ".join(["/bench", self.name, self.kind, str(self.samples),
                         *map(str, self.sizes)])


@dataclass
class Boot:
    """Cases that do not disturb each other. append: more for the kernel.
    smp: None for one vCPU that counts instructions; else wall-clock time."""
    cases: list[Case]
    append: str = "cma=64M"
    mem: str = "256M"
    disk: bool = True
    smp: int | None = None
    timeout_s: int = 600

    def __post_init__(self) -> None:
        for case in self.cases:
            case.varies = bool(self.disk or self.smp)


def alone(name: str, *case: Any, **boot: Any) -> dict[str, Boot]:
    """A case that has a boot of its own, of the same name."""
    return {name: Boot([Case(name, *case)], **boot)}


MIB = 1024
LADDER = [4, 2 * MIB, 4 * MIB, 8 * MIB, 16 * MIB, 32 * MIB, 64 * MIB]
# Mainline's default area stays what it is.
GUARANTEED = "cma=128M cma_areas=reserved:guaranteed"
QUIET = ("median", "free")	# every sample is the same, or nearly so

BOOTS = {
    "free": Boot([
        Case("first", "free area, the first request of all", "free", 1,
             [1 * MIB], QUIET),
        Case("free", "free area", "free", 9,
             [4, 16, 64, 256, 1 * MIB, 4 * MIB, 16 * MIB, 32 * MIB], QUIET),
        Case("held-1", "free area, 1 buffer of 4 KiB held", "held:1", 9,
             [1 * MIB, 4 * MIB], QUIET),
        Case("held-100", "free area, 100 buffers of 4 KiB held", "held:100",
             9, [1 * MIB, 4 * MIB], QUIET),
        Case("held-10000", "free area, 10000 buffers of 4 KiB held",
             "held:10000", 9, [4, 64, 1 * MIB, 4 * MIB], QUIET),
    ], disk=False),
    "paths": Boot([
        Case("write-combine", "DMA_ATTR_WRITE_COMBINE", "write-combine", 9,
             [4, 64, 1 * MIB, 16 * MIB], QUIET),
        Case("unmapped", "DMA_ATTR_NO_KERNEL_MAPPING", "unmapped", 9,
             [4, 64, 1 * MIB, 16 * MIB], QUIET),
        Case("atomic", "GFP_ATOMIC", "atomic", 9, [4, 64], QUIET),
        Case("kept", "buffers of any size are cached, and asked for again "
             "after 100 ms", "kept", 9, [4, 64, 1 * MIB, 16 * MIB], QUIET),
    ], disk=False),
    **alone("highmem", "free area in high memory", "free", 9,
            [4, 64, 1 * MIB, 16 * MIB], QUIET,
            append="cma=64M vmalloc=768M", mem="384M", disk=False),
    "room": Boot([
        Case("halves", "buffers that fit after small ones took 70 % of the "
             "area and every other one went back", "halves:70", 1,
             [256, 1 * MIB, 4 * MIB, 8 * MIB], ("count",)),
        Case("mixed", "buffers that fit beside small ones, asked for while "
             "large ones came and went", "mixed:30", 1,
             [256, 1 * MIB, 4 * MIB, 8 * MIB], ("count",)),
    ], disk=False),
    **alone("cache", "full of clean page cache", "cache", 16,
            [64, 1 * MIB, 4 * MIB, 16 * MIB]),
    **alone("text", "full of mapped program text", "text", 16, [1 * MIB, 4 * MIB]),
    **alone("text-again", "full of mapped program text, room outside; then "
            "all that lay in the area is used once more", "text-again", 16,
            [1 * MIB, 4 * MIB], ("median", "sum")),
    **alone("dirty", "full of dirty page cache, ext4", "dirty", 16, [1 * MIB, 4 * MIB]),
    **alone("anon", "full of anonymous memory, room outside", "anon", 16,
            [1 * MIB, 4 * MIB, 16 * MIB], disk=False),
    **alone("shmem", "full of shared memory, room outside", "shmem", 16,
            [1 * MIB, 4 * MIB], disk=False),
    **alone("mlocked", "full of locked memory, room outside", "mlocked", 16,
            [1 * MIB, 4 * MIB], disk=False),
    **alone("swap", "full of anonymous memory, zram swap", "swap-one", 16,
            [4 * MIB], disk=False),
    **alone("swap-row", "full of anonymous memory, zram swap, 16 MiB in a row "
            "of four", "swap", 48, [4 * MIB],
            ("median", "average", "own", "worst"), disk=False, timeout_s=1200),
    **alone("pinned", "256 pages pinned all over, zram swap",
            "pinned-swap-one:256", 64, [256], disk=False, timeout_s=1200),
    **alone("pinned-row", "256 pages pinned all over, no swap, many in a row",
            "pinned:256", 128, [256], disk=False),
    **alone("pinned-end", "256 pages pinned all over, no swap, in a row until "
            "there is no room", "pinned-end:256", 192, [256],
            ("median", "worst", "refused"), disk=False),
    **alone("pinned-large", "256 pages pinned all over", "pinned:256", 16,
            [1 * MIB, 4 * MIB], disk=False),
    **alone("pinned-swap", "256 pages pinned all over, zram swap, a row",
            "pinned-swap:256", 32, [256], disk=False, timeout_s=1200),
    **alone("longterm", "16 MiB pinned for long, the area full", "longterm",
            16, [1 * MIB, 4 * MIB], disk=False),
    **alone("exhaust", "128 MiB pinned for long, memory and zram swap full; "
            "buffers until there are no more", "exhaust:128", 1, [4 * MIB],
            ("count",), append="cma=256M", mem="512M", disk=False, timeout_s=900),
    **alone("exhaust-noise", "128 MiB pinned for long, memory and zram swap "
            "full, half of the data cannot be compressed; buffers until "
            "there are no more", "exhaust-noise:128", 1, [4 * MIB], ("count",),
            append="cma=256M", mem="512M", disk=False, timeout_s=900),
    **alone("pin", "a program pins its data for long, the area full of them",
            "pin", 1, [8 * MIB, 128 * MIB], QUIET,
            append="cma=256M", mem="512M", disk=False, timeout_s=1200),
    **alone("direct", "O_DIRECT to and from pages in the area", "direct", 16,
            [256, 4 * MIB]),
    **alone("sweep", "programs run as in a build", "load:4", 24,
            LADDER, ("average", "own", "worst"), append="cma=128M", mem="512M",
            timeout_s=1200),
    **alone("guaranteed-idle", "an area that is guaranteed, nothing runs", "free", 9,
            LADDER, QUIET, append=GUARANTEED, mem="512M", disk=False),
    **alone("guaranteed", "the same, programs run as in a build", "load:4", 24, LADDER,
            ("median", "worst"), append=GUARANTEED, mem="512M", timeout_s=1200),
    **alone("guaranteed-cache", "guaranteed, memory full of page cache", "cache-one", 12,
            LADDER, ("median", "worst"), append=GUARANTEED, mem="512M", timeout_s=1200),
    **alone("guaranteed-forks", "guaranteed, programs fork all the time", "forks:8", 24,
            LADDER, ("median", "worst"), append=GUARANTEED, mem="512M", timeout_s=1200),
    **alone("build-none", "a build without an area", "build:160", 1, [4],
            ("rate",), append="cma=0"),
    **alone("build", "a build with nearly half of memory an area, against "
            "none", "build:160", 1, [4], ("rate",), append="cma=112M"),
    "threads": Boot([
        Case(f"threads-{nr}", f"{nr} threads, against 1", f"threads:{nr}", 1,
             [64], ("rate",)) for nr in (1, 4, 16, 32)
    ], disk=False, smp=4),
}

# (case, KiB, figure): (goal, floor). The floor is what clearing the buffer
# and cleaning its cache lines costs, with nothing else.
Goals = dict[tuple[str, int, str], tuple[float, float | None]]
COMMON: Goals = {
    ("free", 4, "median"): (4, 0.7),
    ("free", 4, "free"): (1, None),
    ("free", 64, "median"): (14, 10.6),
    ("free", 64, "free"): (2, None),
    ("free", 1 * MIB, "median"): (180, 164),
    ("free", 1 * MIB, "free"): (10, None),
    ("free", 16 * MIB, "median"): (2800, 2623),
    ("free", 16 * MIB, "free"): (130, None),
    # A buffer that is asked for again: 2 % of mainline's 3918 on a free area.
    ("kept", 16 * MIB, "median"): (78, None),
    ("cache", 4 * MIB, "median"): (1250, 656),
    ("swap", 4 * MIB, "median"): (5000, 656),
    ("swap", 4 * MIB, "worst"): (15000, 656),
    # By call_profile.py, LZO takes 11.6 thousand instructions a page: 12 million for
    # 4 MiB, unless kswapd left some memory free. So the average tells more.
    ("swap-row", 4 * MIB, "median"): (12000, 656),
    ("swap-row", 4 * MIB, "worst"): (25000, 656),
    ("pinned", 256, "median"): (280, 41),
    ("pinned", 256, "worst"): (2000, 41),
    ("pinned-row", 256, "median"): (280, 41),
    ("pinned-row", 256, "worst"): (2000, 41),
    ("pinned-end", 256, "worst"): (2000, 41),
    ("threads-4", 64, "rate"): (1.5, None),
    ("build", 4, "rate"): (0.99, None),
    # The goals are what the idle area takes and 5 % more, or 20 % for the worst.
    ("guaranteed", 4 * MIB, "median"): (710, 656),
    ("guaranteed", 4 * MIB, "worst"): (811, 656),
    ("guaranteed", 64 * MIB, "median"): (11302, 10492),
    ("guaranteed", 64 * MIB, "worst"): (12916, 10492),
}
# A kernel may have goals of its own. Linux 7.3 takes more instructions for a page,
# by call_profile.py: free_pages_prepare() one more when it is freed, the reverse
# mapping 8 % more when it is moved. Whether a request finds free memory for all of
# its pages is luck: one of the sixteen in `swap` had to have pages swapped out.
OWN: dict[str, Goals] = {"newest": {
    ("free", 1 * MIB, "free"): (10.5, None),
    ("free", 16 * MIB, "free"): (136, None),
    ("swap", 4 * MIB, "worst"): (20000, 656),
}}
GOALS = COMMON | OWN.get(bases.BASE, {})


def goals_of(wanted: Collection[str]) -> list[tuple[str, int, str]]:
    """The goals that cases of these names have."""
    return [key for key in GOALS if key[0] in wanted]


def all_cases() -> list[Case]:
    return [case for boot in BOOTS.values() for case in boot.cases]
