# SPDX-License-Identifier: GPL-2.0
"""Which tests may skip, and where.

A test skips for the lack of something, and may do so where the kernel or the
board does not have it. Where it is there, or for any other reason, a skip is
a test that should have run.
"""

import re
from collections.abc import Collection

# The reason that a test gives: what it would have run with, options of the kernel or
# features of a boot, see features().
NEEDS = {
    "no CONFIG_FAIL_CMA": {"FAIL_CMA"},
    "no events in tracefs": {"EVENT_TRACING"},
    "a kernel without hugetlb": {"HUGETLBFS"},
    "huge pages of hugetlb do not move": {"ARCH_ENABLE_HUGEPAGE_MIGRATION"},
    "a kernel without transparent huge pages": {"TRANSPARENT_HUGEPAGE"},
    "no gup_test in debugfs": {"GUP_TEST"},
    "no io_uring": {"IO_URING"},
    "no memory hotplug": {"MEMORY_HOTREMOVE"},
    # All of memory is memory of the boot, which arm64 keeps.
    "no block of memory goes offline": {"X86_64"},
    "no memory cgroups": {"MEMCG"},
    "no /dev/udmabuf": {"UDMABUF"},
    # virtio-mem, which the kernels of 64 bits have, and /dev/mem with all of
    # memory in it exclude each other.
    "no /dev/mem, or none that shows memory": {"DEVMEM"},
    "no vivid": {"VIDEO_VIVID"},
    "no null_blk": {"BLK_DEV_NULL_BLK"},
    # vivid has 32 bits for addresses.
    "vivid does not reach the area": {"area in 32 bits"},
    # The DMA API that other architectures share.
    "what the area cannot give comes from elsewhere": {"ARM"},
    "all devices are": {"ARCH_HAS_SYNC_DMA_FOR_DEVICE",
                        "ARCH_HAS_SYNC_DMA_FOR_CPU"},
    "no file on a disk in $CMA_TEST_FILE": {"disk"},
    "no CONFIG_CMA_GUARANTEED": {"CMA_GUARANTEED"},
    "no iso9660 or no loop device": {"ISO9660_FS"},
    "no host that does what it is asked for": {"host"},
    "no /dev/cma_test.behind-iommu": {"iommu"},
    "page table entries of another architecture": {"ARM"},
    "the area is in low memory": {"area in high memory"},
    "pipes use high memory, where no area is": {"low memory only"},
    "the area is small beside the watermarks": {"area of 32 MiB or more"},
    "there are other areas to move to": {"one area"},
}


def features(config_text: str, append: str = "", nodes: str = "", disk: object = None,
             ask_host: bool = False) -> set[str]:
    """What a boot has; the arguments are those of boards.boot()."""
    has = set(re.findall(r"^CONFIG_(\w+)=", config_text, re.M))
    size = re.search(r"\bcma=(\d+)M", append)
    far = re.search(r"\bcma=\w+@0x[0-9a-f]{9}", append)
    return has | {feature for feature, is_there in (
        ("disk", disk), ("host", ask_host), ("iommu", "behind-iommu" in nodes),
        ("area in 32 bits", not far),
        # Less low memory than the boards with this have.
        ("area in high memory", far or "vmalloc=768M" in append),
        ("low memory only", "HIGHMEM" not in has),
        ("one area", not re.search(r"\b(numa_cma=|cma_pernuma=[1-9])", append)),
        ("area of 32 MiB or more", size and int(size[1]) >= 32)) if is_there}


def allowed(reason: str, has: Collection[str]) -> bool:
    """Whether a test may skip for this reason where these features are."""
    return reason in NEEDS and NEEDS[reason].isdisjoint(has)
