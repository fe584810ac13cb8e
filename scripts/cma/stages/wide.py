# SPDX-License-Identifier: GPL-2.0
"""Stages with 64 bits: nodes, pages of 1 GiB, zones, the DMA API of the others."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab import boards, kbuild
from stages import areas
from stages.stage import Stage, selftests, side_by_side, stage, test_driver


def two_nodes(size: str) -> list[str]:
    """Two nodes of memory of this size, with one processor each."""
    return [option for i in (0, 1) for option in (
        "-object", f"memory-backend-ram,id=m{i},size={size}",
        "-numa", f"node,nodeid={i},cpus={i},memdev=m{i}")]


NODES = two_nodes("512M")
NODE_AREAS = [
    ("cma_pernuma=16M cma=16M", "pernuma0", "pernuma1"),
    ("numa_cma=0:8M,1:32M cma=16M", "numa0", "numa1"),
    ("numa_cma=1:32M,7:8M cma=16M", "reserved", "numa1"),
    # Its own first, then that of the node beside it.
    ("numa_cma=1:32M cma_pernuma=16M cma=16M", "pernuma0", "pernuma1"),
]
X86_NODE_AREAS = [("cma_pernuma=16M cma=16M", 0, "pernuma0"),
                  ("cma_pernuma=16M cma=16M", 1, "pernuma1"),
                  ("numa_cma=0:8M,1:32M cma=16M", 0, "numa0"),
                  ("numa_cma=0:8M,1:32M cma=16M", 1, "numa1")]

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
    for append, first, second in NODE_AREAS:
        stage.boot(re.sub(r"\W", "_", append), "arm64-virt", extra=NODES,
                   nodes=devices, append=append, want_tests=True, timeout_s=180,
                   commands=[f"{areas.CLIENT} - 4M=reserved",
                             f"{areas.CLIENT} node0 4M={first}",
                             f"{areas.CLIENT} node1 4M={second}"],
                   expect=[rf"^cma: {area}: \d+ MiB at \S+, shared, for "
                           + ("all devices" if area == "reserved" else
                              "devices of its node")
                           + ", from the command line$"
                           for area in {first, second}])
    stage.boot("node-errors", "arm64-virt", extra=NODES, want_tests=True,
               append="cma=16M " + " ".join(bad for bad, _ in NODE_ERRORS),
               timeout_s=180, commands=[f"{areas.CLIENT} - 4M=reserved"],
               expect=[f"^cma: {said}" for _, said in NODE_ERRORS])
    # No device tree there; processors of one socket are of one node.
    for append, node, area in X86_NODE_AREAS:
        stage.boot(f"x86_64-{area}", "x86_64", extra=NODES, want_tests=True,
                   append=append, smp="2,sockets=2", timeout_s=300,
                   commands=[test_driver(f"node={node}"),
                             f"{areas.CLIENT} - 4M={area}"],
                   expect=[rf"^cma: {area}: \d+ MiB at \S+, shared, for "
                           "devices of its node"])


SMALLER = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"


def boot_gigantic(stage: Stage, kernels: dict[str, str] | None = None) -> None:
    """A page of 1 GiB, from hugetlb's own area, and back. kernels: other ones
    than the boards' own, by board."""
    pages = "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"
    taken = "/sys/kernel/mm/cma/hugetlb0/alloc_pages_success"
    # Not every x86 has such pages.
    for board, extra in ("arm64-virt", []), ("x86_64", ["-cpu", "max"]):
        stage.boot(f"{board}-gigantic", board, mem="4G", extra=extra,
                   kernel_dir=kernels and kbuild.obj(kernels[board]),
                   append="hugetlb_cma=1G", timeout_s=300,
                   expect=["^cma: hugetlb0: 1024 MiB at "],
                   commands=[f"echo 1 >{pages} && grep -x 1 {pages} && "
                             f"grep -x 262144 {taken}",
                             f"echo 0 >{pages} && grep -x 0 {pages} && "
                             f"echo 1 >{pages} && grep -x 524288 {taken}",
                             # The pages made of it come back in parts.
                             f"cd {Path(pages).parent} && "
                             "echo 2048kB >demote_size && echo 1 >demote && "
                             f"echo 0 >{SMALLER} && grep -x 0 {SMALLER} && "
                             "grep -x 0 /sys/kernel/debug/cma/hugetlb0/used "
                             f"&& echo 1 >{pages} && grep -x 1 {pages}"])


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

# Huge pages would have the kernel keep more memory free than tests leave.
APPEND = ("cma=64M kunit.enable=1 kunit.filter_glob=cma* "
          f"{boards.QUICK} transparent_hugepage=never")
EACH = ["cma_basic", "cma_interface", "cma_cache"]
# Pages of hugetlb do not move on ARM.
EACH_64_BIT = [*EACH, "cma_huge"]


def boot_generic(stage: Stage, board: str, tests: Sequence[str], **options: Any) -> None:
    """The DMA API that all architectures but some share."""
    stage.boot(f"{board}-tests", board, want_tests=True, append=APPEND,
               timeout_s=1200, commands=[f"/selftests/cma/{name}"
                                         for name in tests], **options)


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
    kbuild.userland("amd64")
    side_by_side(lambda boot: boot(stage), (	# the longest first
        boot_x86_64, boot_arm64, boot_nodes, boot_gigantic, boot_demotion,
        boot_zones))


@stage("bare-64-bit", ["bare-arm64", "bare-x86_64"], on_request=True)
def bare_64_bit(stage: Stage) -> None:
    """Its kernels are all there is to this stage."""
