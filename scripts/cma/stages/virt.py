# SPDX-License-Identifier: GPL-2.0
"""Stages on the boards of every day, with the kernel of every day."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from lab import boards, images, picture
from stages.stage import Stage, guest_files, selftests, stage

# cma= as nobody should write it, and what is said to it. The board, with
# 256 MiB at 1 GiB, has to boot on.
IGNORED = [
    ("cma=", "a number is missing"),
    ("cma=foo", "a number is missing"),
    ("cma=-5M", "a number is missing"),
    ("cma=64M@", "a number is missing"),
    ("cma=64M@zz", "a number is missing"),
    ("cma=64M@0x48000000-0x44000000", "limit is not above the base"),
    ("cma=64M@0x48000000-0x49000000", "does not fit between"),
    ("cma=64M@0xfff00000", "past the end of the address space"),
    ("cma=4096G", "too large"),
    ("cma=99999999999999999999M", "too large"),
    ("cma=16M@0xffffffff00000000", "too large"),
]
NOT_PLACED = [
    ("cma=512M", "512|0x20000000"),
    ("cma=16M@0x40000000", "0x40000000.*overlaps the kernel"),
    ("cma=16M@0x90000000", "0x90000000"),
    ("cma=16M@0x44000800", "0x44000800.*aligned"),
    ("cma=16M@0x48000000", "overlaps the initial RAM disk at 0x48000000-"),
    ("cma=64M@0x44000000-0x47ffffff", "does not|0x44000000"),
]
# As the kernel's own allocator takes it, and boards have it: size, base.
TAKEN = [
    ("cma=128MB", "128 MiB", r"0x[0-9a-f]+"),
    ("cma=32M,64M", "32 MiB", r"0x[0-9a-f]+"),
    ("cma=64X", "4 MiB", r"0x[0-9a-f]+"),
    ("cma=64M@0-", "64 MiB", r"0x[0-9a-f]+"),
    ("cma=64M@0-4G", "64 MiB", r"0x[0-9a-f]+"),
    ("cma=16M@0x49000000-", "16 MiB", r"0x4[9a-f]\w+"),
    ("cma=0200000k", "64 MiB", r"0x[0-9a-f]+"),
    ("cma=30M@0x44000000", "32 MiB", "0x44000000"),
    ("cma=30M@0x44000000-0x45e00000", "30 MiB", "0x44000000"),
    ("cma=30M@0x44000000-0x45f00000", "30 MiB", "0x44[01]00000"),
]


@stage("build", ["arm"])
def build(stage: Stage) -> None:
    """Its kernels are all there is to this stage."""


# Tests of what maps pages of an area, and of what else may hold them. All
# selftests run with an area in highmem in the stage lpae.
IN_HIGHMEM = ["cma_basic", "cma_mode", "cma_concurrent", "cma_mapping",
              "cma_occupied", "cma_share"]


def test_boot(stage: Stage, name: str, board: str, commands: Sequence[str] = (),
              after: Sequence[str] = (), append: str = "", quick: bool = True,
              only: Collection[str] | None = None, **kw: Any) -> None:
    """KUnit and every selftest, or some, on one board, between other
    commands."""
    if quick:
        append += " " + boards.QUICK
    tests = [path for path in selftests() if not only or Path(path).name in only]
    stage.boot(name, board, disk=True, want_tests=True, ask_host=True,
               commands=[*commands, *tests, *after],
               append="cma=64M kunit.enable=1 kunit.filter_glob=cma* "
               + append, **kw)


@stage("virt", ["arm"])
def virt(stage: Stage) -> None:
    # Files whose pages have four blocks.
    small = images.make_image("ext4-1k")
    test_boot(stage, "virt", "virt", quick=False, timeout_s=1800,
              extra=images.drive(small),
              after=["mkdir /tmp/small && mount -t ext4 /dev/vdb /tmp/small",
                     images.fill("/tmp/small"),
                     f"CMA_TEST_FILE=/tmp/small/{images.BIG_FILE} "
                     "/selftests/cma/cma_guaranteed", "umount /tmp/small"])


@stage("vexpress", ["arm"])
def vexpress(stage: Stage) -> None:
    """Little lowmem, so that the area lies in highmem; and the display."""
    little: dict[str, Any] = {"mem": "384M", "append": "vmalloc=768M"}
    test_boot(stage, "vexpress", "vexpress-a9", only=IN_HIGHMEM, timeout_s=900, **little)
    little["append"] += " cma=64M"
    got = stage.boot("display", "vexpress-a9", disk=True, want_tests=True,
                     ask_host=True, commands=["/display_test"], timeout_s=300,
                     files=guest_files("display_test", "fill_memory"),
                     **little)
    said = [line for screen in got.screens for line in picture.faults(screen)]
    stage.result(len(got.screens) == 1 and not said, "the picture on display", said)


@stage("parameters", ["arm"])
def parameters(stage: Stage) -> None:
    """Bad input gets its message and the board boots on."""
    wanted = [(bad, rf'^cma: "{re.escape(bad)}" ignored: .*{why}') for bad, why in IGNORED]
    wanted += [(bad, f"^cma: .*(?:{why})") for bad, why in NOT_PLACED]
    wanted += [(given, rf"^cma: reserved: {size} at {base}-0x\w+"
                r"(?:, 0x\w+-0x\w+)?, lowmem, "
                "shared( but for parts of pageblocks)?, for all devices, "
                "from the command line$") for given, size, base in TAKEN]
    for bad, message in wanted:
        stage.boot(re.sub(r"\W", "_", bad), "virt", append=bad, mem="256M",
                   timeout_s=180, commands=["grep MemTotal /proc/meminfo"],
                   expect=[message])
