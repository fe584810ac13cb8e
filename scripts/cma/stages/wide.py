# SPDX-License-Identifier: GPL-2.0
"""Stages with 64 bits: nodes, pages of 1 GiB, zones, the DMA API of the others."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab import boards, kbuild
from stages import areas, early
from stages.early import SMALLER, resize
from stages.stage import Stage, selftests, side_by_side, stage, test_driver
from trees import bases


def two_nodes(size: str) -> list[str]:
    """Two nodes of memory of this size, with one processor each."""
    return [option for i in (0, 1) for option in (
        "-object", f"memory-backend-ram,id=m{i},size={size}",
        "-numa", f"node,nodeid={i},cpus={i},memdev=m{i}")]


NODES = two_nodes("512M")


@dataclass
class Nodes:
    """A command line, what a device of each node takes by it, as a step of
    cma_client, and the areas of nodes that there are, in MiB."""
    append: str
    steps: tuple[str, str]
    areas: dict[str, int]
    source: str = "the command line"

    def announced(self) -> list[str]:
        return [rf"^cma: {name}: {size} MiB at \S+, shared, for devices of its "
                rf"node, from {self.source}$" for name, size in self.areas.items()]

    def no_others(self) -> str:
        return f"test $(ls /sys/kernel/mm/cma | grep -c numa) = {len(self.areas)}"


# Each kernel has its own name for the areas of "cma_pernuma=". If both options name
# one node, both count or one does.
NODE_AREAS = [
    Nodes("numa_cma=0:8M,1:32M cma=16M", ("4M=numa0", "4M=numa1"),
          {"numa0": 8, "numa1": 32}),
    Nodes("numa_cma=1:32M,7:8M cma=16M", ("4M=reserved", "4M=numa1"), {"numa1": 32}),
]
if bases.VERSION == "6.12":
    NODE_AREAS += [
        Nodes("cma_pernuma=16M cma=16M", ("4M=pernuma0", "4*4M=pernuma1 4M=reserved"),
              {"pernuma0": 16, "pernuma1": 16}),
        # The area of every node comes first, then that of this one.
        Nodes("numa_cma=1:32M cma_pernuma=16M cma=16M",
              ("4M=pernuma0", "4*4M=pernuma1 8*4M=numa1 4M=reserved"),
              {"pernuma0": 16, "pernuma1": 16, "numa1": 32}),
    ]
    X86_NODE_AREAS = [NODE_AREAS[2]]
else:
    NODE_AREAS += [
        Nodes("cma_pernuma=16M cma=16M", ("4M=numa0", "4*4M=numa1 4M=reserved"),
              {"numa0": 16, "numa1": 16}),
        Nodes("numa_cma=1:32M cma_pernuma=16M cma=16M",
              ("4M=numa0", "8*4M=numa1 4M=reserved"), {"numa0": 16, "numa1": 32}),
        # Neither option: as much as the default area has. Either, and be it 0: none.
        Nodes("cma=12M", ("4M=numa0", "3*4M=numa1 4M=reserved"),
              {"numa0": 12, "numa1": 12}, "the configuration"),
        Nodes("cma=16M cma_pernuma=0", ("4M=reserved", "4M=reserved"), {}),
        Nodes("cma=16M numa_cma=0:0", ("4M=reserved", "4M=reserved"), {}),
    ]
    X86_NODE_AREAS = [NODE_AREAS[2], NODE_AREAS[4]]
X86_NODE_AREAS += NODE_AREAS[:1]

# As nobody should write them, and what is said to each: all in one boot.
NODE_ERRORS = [
    ("numa_cma", r'"numa_cma=": a node is missing'),
    ("numa_cma=1", r'"numa_cma=1": a colon is missing'),
    ("numa_cma=0:8MB", r'"numa_cma=0:8MB": garbage behind the size'),
    ("numa_cma=99999:8M", r'"numa_cma=99999:8M": no such node'),
    ("numa_cma=1:8M;2:8M", r'"numa_cma=1:8M;2:8M": garbage'),
    ("numa_cma=7:8M", "numa_cma: there is no node 7"),
    ("cma_pernuma", r'"cma_pernuma=" ignored: a size is missing'),
    ("cma_pernuma=foo", r'"cma_pernuma=foo" ignored: a number is missing'),
    ("cma_pernuma=8M@0x48000000", r'"cma_pernuma=8M@0x48000000": '
     "what is behind the size is ignored"),
]


def boot_nodes(stage: Stage) -> None:
    """Devices on NUMA nodes take from the area of their node."""
    devices = "/ {" + "".join(f"""
	node{i} {{ compatible = "test,cma-dma-test"; numa-node-id = <{i}>; }};
""" for i in (0, 1)) + "};"
    for case in NODE_AREAS:
        stage.boot(re.sub(r"\W", "_", case.append), "arm64-virt", extra=NODES,
                   nodes=devices, append=case.append, want_tests=True, timeout_s=180,
                   commands=[f"{areas.CLIENT} - 4M=reserved", case.no_others()] +
                   [f"{areas.CLIENT} node{i} {step}" for i, step in enumerate(case.steps)],
                   expect=case.announced())
    stage.boot("node-errors", "arm64-virt", extra=NODES, want_tests=True,
               append="cma=16M " + " ".join(bad for bad, _ in NODE_ERRORS),
               timeout_s=180, commands=[f"{areas.CLIENT} - 4M=reserved"],
               expect=[f"^cma: {said}" for _, said in NODE_ERRORS])


def boot_x86_64_nodes(stage: Stage) -> None:
    """The same without a device tree; processors of one socket are of one node."""
    for case in X86_NODE_AREAS:
        for node, step in enumerate(case.steps):
            stage.boot(f"x86_64-{node}-" + re.sub(r"\W", "_", case.append), "x86_64",
                       extra=NODES, want_tests=True, append=case.append,
                       smp="2,sockets=2", timeout_s=300,
                       commands=[test_driver(f"node={node}"), case.no_others(),
                                 f"{areas.CLIENT} - {step}"],
                       expect=case.announced())


def boot_gigantic(stage: Stage, kernels: dict[str, str] | None = None) -> None:
    """A page of 1 GiB, from hugetlb's own area, and back. kernels: other ones
    than the boards' own, by board; there are no other boards then."""
    taken = "/sys/kernel/mm/cma/hugetlb0/alloc_pages_success"
    # Not every x86 has such pages.
    for board, extra in ("arm64-virt", []), ("x86_64", ["-cpu", "max"]):
        if kernels and board not in kernels:
            continue
        stage.boot(f"{board}-gigantic", board, mem="4G", extra=extra,
                   kernel=kernels[board] if kernels else None,
                   append="hugetlb_cma=1G", timeout_s=300,
                   expect=["^cma: hugetlb0: 1024 MiB at "],
                   commands=[f"{resize(1)} && grep -x 262144 {taken}",
                             f"{resize(0)} && {resize(1)} && grep -x 524288 {taken}",
                             # The pages made of it come back in parts.
                             f"cd {early.PAGES} && "
                             "echo 2048kB >demote_size && echo 1 >demote && "
                             f"{resize(0, SMALLER)} && {early.used(0)} && {resize(1)}"])


def boot_larger(stage: Stage) -> None:
    """A page of 1 GiB, where smaller huge pages lie in each range that has room."""
    stage.boot("x86_64-larger", "x86_64", mem="8G", extra=["-cpu", "max"], timeout_s=300,
               commands=[resize(3000, SMALLER),
                         f"{resize(1)} && grep -x 3000 {SMALLER}", resize(0)])


# The second has room for a page of 1 GiB.
LARGE_NODES = [*two_nodes("3G"), "-cpu", "max"]
DEMOTE = """
set -e
cd /sys/kernel/mm/hugepages/hugepages-1048576kB
mode=/sys/kernel/mm/cma/hugetlb1/mode
echo 2048kB >demote_size
while [ ! -e /tmp/enough ]; do
	echo exclusive >$mode || :
	echo shared >$mode || :
	echo >>/tmp/switched
done 2>/dev/null &
node=/sys/devices/system/node/node1/hugepages
for i in $(seq 30); do
	echo 1 >$node/hugepages-1048576kB/nr_hugepages
	echo 1 >demote
	echo 0 >$node/hugepages-2048kB/nr_hugepages
	echo 0 >$node/hugepages-1048576kB/nr_hugepages
	sleep 0.0$((i % 10))
done
echo >/tmp/enough
wait
test $(wc -l </tmp/switched) -ge 5
echo exclusive >$mode
grep -x 0 /sys/kernel/debug/cma/hugetlb1/used
"""


def boot_demotion(stage: Stage) -> None:
    """A huge page that is made into smaller ones comes back in parts, while its
    area changes from shared to exclusive and back; nothing of it stays behind in
    the page allocator, and pages that move have their targets on their node."""
    stage.boot("x86_64-demotion", "x86_64", extra=LARGE_NODES, mem="6G",
               smp="2,sockets=2", append="hugetlb_cma=1:1G cma=16M",
               timeout_s=600, want_tests=True, files={"demote": DEMOTE.encode()},
               commands=["sh /demote",
                         f"{areas.CLIENT} - idle=hugetlb1",
                         "echo shared >/sys/kernel/mm/cma/hugetlb1/mode",
                         f"{areas.CLIENT} - lent=hugetlb1"],
               expect=["^cma: hugetlb1: 1024 MiB at "])


def boot_zones(stage: Stage) -> None:
    """An area across the border of two zones is of two pieces."""
    stage.boot("arm64-virt-zones", "arm64-virt", mem="4G", timeout_s=300,
               append="cma=64M@0xfe000000",
               expect=["^cma: reserved: 64 MiB at 0x00000000fe000000-"
                       "0x00000000ffffffff, 0x0000000100000000-"
                       "0x0000000101ffffff, shared, for all devices"],
               commands=["cd /sys/kernel/debug/cma/reserved && "
                         "used=$(cat used) && test $(cat maxchunk) = 8192 && "
                         "test $(cat ranges/1/base_pfn) = $((0x100000)) && "
                         # The pool for those who cannot wait has some.
                         "echo 8192 >alloc && echo 8000 >alloc && "
                         "echo 16192 >free && test $(cat used) = $used"])


def boot_hotplug(stage: Stage) -> None:
    """Memory goes offline and comes back beside an area; on x86_64 the area lies in
    the middle of memory."""
    for board, area in ("x86_64", "64M@0x18000000"), ("arm64-virt", "64M"):
        stage.boot(f"{board}-hotplug", board, want_tests=True, append=f"cma={area}",
                   timeout_s=600, commands=["/selftests/cma/cma_hotplug"],
                   may_say=["page dumped because: unmovable page"])


# Behind the IOMMU that the board has with the option. With 30 bits it would not
# reach a page: memory begins at 1 GiB.
IOMMU = ["-M", "iommu=smmuv3"]
IOMMU_STREAM = "&{/smmuv3@9050000} 5"
IOMMU_CLIENT = """/ {{ behind-iommu {{
	compatible = "test,cma-dma-test";
	iommus = <{}>;
	{}
}}; }};"""
REACH = "test,dma-bits = <30>;"

# Huge pages would have the kernel keep more memory free than tests leave. Kernels
# that start from allnoconfig run tests at boot only if they are told to.
APPEND = (f"cma=64M kunit.enable=1 {kbuild.AUTORUN}kunit.filter_glob=cma* "
          f"{boards.QUICK} transparent_hugepage=never")
EACH = ["cma_basic", "cma_interface", "cma_cache"]
# Pages of hugetlb do not move on ARM.
EACH_64_BIT = [*EACH, "cma_huge", "cma_tables", "cma_report", "cma_trace"]


def boot_generic(stage: Stage, board: str, tests: Sequence[str], **options: Any) -> None:
    """The DMA API that all architectures but some share."""
    stage.boot(f"{board}-tests", board, want_tests=True, append=APPEND,
               timeout_s=1200, commands=[f"/selftests/cma/{name}"
                                         for name in tests], **options)


# The lower half of memory is a zone of its own, with the area in it, as on boards
# with devices that reach no more than that.
NARROW_BUS = """/ { narrow-bus {
	#address-cells = <2>;
	#size-cells = <2>;
	ranges;
	dma-ranges = <0 0x40000000 0 0x40000000 0 0x10000000>;
}; };"""


def boot_fill(stage: Stage) -> None:
    """Programs move to an area of another zone, and of another node."""
    stage.boot("arm64-virt-fill", "arm64-virt", want_tests=True, append=APPEND,
               mem="512M", nodes=NARROW_BUS, timeout_s=1200,
               commands=["/selftests/cma/cma_fill"])
    # Node 0 has this processor, and not the area. The other tests are about what is
    # done before a program would be killed.
    stage.boot("x86_64-fill", "x86_64", want_tests=True, extra=NODES, smp="2,sockets=2",
               append=f"{APPEND} cma=64M@0x28000000 cma_pernuma=0", timeout_s=1200,
               commands=["taskset 1 /selftests/cma/cma_fill -t programs_move_in "
                         "-t huge_pages_stay_huge"])


def boot_arm64(stage: Stage) -> None:
    boot_generic(stage, "arm64-virt", [*EACH_64_BIT, "cma_iommu"], extra=IOMMU,
                 nodes=IOMMU_CLIENT.format(IOMMU_STREAM, REACH))


def boot_x86_64(stage: Stage) -> None:
    boot_generic(stage, "x86_64", EACH_64_BIT)


@stage("64-bit", ["arm64", "x86_64"])
def wide(stage: Stage) -> None:
    # Each boot takes along the programs of its architecture.
    selftests("arm")
    selftests("x86_64")
    newest = () if bases.VERSION else (
        early.boot_huge_pages, early.boot_short_map, early.boot_early_parts,
        early.boot_crash, early.boot_next_kernel)
    side_by_side(lambda boot: boot(stage), (	# the longest first
        boot_x86_64, boot_arm64, boot_fill, boot_nodes, boot_x86_64_nodes, boot_gigantic,
        boot_demotion, boot_hotplug, boot_larger, boot_zones, *newest))


BLOCKS = "blocks-x86_64"


@stage("blocks", [] if bases.VERSION else [BLOCKS], on_request=True)
def blocks(stage: Stage) -> None:
    """Pageblocks smaller than a huge page: the areas of hugetlb, and KUnit."""
    if bases.VERSION:
        stage.skip("small pageblocks", f"Linux {bases.VERSION} has none")
        return
    boot_gigantic(stage, {"x86_64": BLOCKS})
    early.boot_huge_pages(stage, BLOCKS)
    early.boot_early_parts(stage, BLOCKS)
    stage.boot("kunit", "x86_64", BLOCKS, want_tests=True, append=APPEND, timeout_s=600)


@stage("bare-64-bit", ["bare-arm64", "bare-x86_64"], on_request=True)
def bare_64_bit(stage: Stage) -> None:
    """Its kernels are all there is to this stage."""
