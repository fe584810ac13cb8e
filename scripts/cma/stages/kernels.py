# SPDX-License-Identifier: GPL-2.0
"""Stages of check.py about kernels that no board of every day boots: what the
options do to a configuration, and kernels without areas.
"""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from lab import kbuild

from stages import areas, wide
from stages.area_case import DEVICE
from stages.early import resize
from stages.stage import Stage, selftests, stage

# Architecture, defconfig: what distributions start from.
DEFCONFIGS = [("x86_64", "x86_64_defconfig"), ("arm64", "defconfig"),
              ("arm", "multi_v7_defconfig")]
# Options of ours, which no other kernel knows.
OURS = re.compile(r"CONFIG_(?:CMA|DMA_CMA|DMA_NUMA_CMA|FAIL_CMA|SAMPLE_CMA)\w*$")


def lost(theirs: dict[str, str], ours: dict[str, str]) -> list[str]:
    """What a configuration had and has no more, or has with another value.
    What is named ours may differ."""
    return sorted(f"{name}={value}" for name, value in theirs.items()
                  if ours.get(name) != value and not OURS.match(name))


def added(theirs: dict[str, str], ours: dict[str, str]) -> list[str]:
    """What is new and no option of ours."""
    return sorted(f"{name}={value}" for name, value in ours.items()
                  if name not in theirs and not OURS.match(name))


def configure(src: Path, arch: str, defconfig: str, switch: str) -> dict[str, str]:
    """The settings of a defconfig in a tree, with the allocator off ("-d") or
    on ("-e")."""
    out = kbuild.BUILD / f"obj-config-{src.name}-{arch}"
    out.mkdir(parents=True, exist_ok=True)
    cmd = ["make", "-s", "-C", str(src), f"O={out}", f"ARCH={arch}",
           f"CROSS_COMPILE={kbuild.CROSS[arch]}"]
    for step in (cmd + [defconfig],
                 [str(src / "scripts/config"), "--file", str(out / ".config"), switch,
                  "CMA", switch, "DMA_CMA"],
                 cmd + ["olddefconfig"]):
        kbuild.run(step, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return kbuild.settings((out / ".config").read_text())


@stage("configs")
def configs(stage: Stage) -> None:
    """Nothing is lost that a kernel had before, with areas or without."""
    trees = kbuild.worktree("base"), kbuild.our_tree()
    for arch, defconfig in DEFCONFIGS:
        for switch, what in ("-d", "CMA=n"), ("-e", "CMA=y"):
            theirs, ours = (configure(src, arch, defconfig, switch) for src in trees)
            name = f"{arch} {defconfig}, {what}"
            gone, new = lost(theirs, ours), added(theirs, ours)
            stage.log(f"{arch}-{what}", "\n".join(
                [f"-{line}" for line in gone] + [f"+{line}" for line in new]))
            stage.result(theirs and not gone, f"{name}: lost", gone)
            stage.result(ours and not new, f"{name}: added", new)


@stage("without", ["nocma-arm64", "nocma-x86_64"], on_request=True)
def without(stage: Stage) -> None:
    """Ranges of pages without areas: a page of 1 GiB at run time, and what the
    kernel tests of its page tables with such a range."""
    # Half of x86_64's 4 GiB are above a hole, with what the kernel takes at boot.
    for board, name, mem, extra in (
            ("arm64-virt", "nocma-arm64", "4G", []),
            ("x86_64", "nocma-x86_64", "8G", ["-cpu", "max"])):
        stage.boot(
            board, board, name, mem=mem, extra=extra, timeout_s=300,
            expect=["debug_vm_pgtable: "],
            commands=["! grep Cma /proc/meminfo", resize(1), resize(0)])


RT = {"arm64-virt": "rt-arm64", "x86_64": "rt-x86_64"}
TWO_NODES = {"extra": wide.NODES, "smp": "2,sockets=2"}
# Tests of two tasks at once, and of readers beside them.
CONCURRENT = ["cma_concurrent", "cma_tables", "cma_mode", "cma_cache", "cma_interface"]

# Buffers show in the profile of allocations, and are gone from it.
PROFILE = ("cd /sys/kernel/debug/cma/reserved && of() { awk "
           "'/mm.cma.debugfs.c/ {n += $1} END {print n + 0}' /proc/allocinfo; }"
           " && n=$(of) && echo 1024 >alloc && test $(of) = $((n + 4194304)) "
           "&& echo 1024 >free && test $(of) = $n")


@stage("rt", list(RT.values()), on_request=True)
def rt(stage: Stage) -> None:
    """Spinlocks that sleep, with lockdep, on two nodes where there are such;
    the profile of allocations checks itself as well."""
    for board, name in RT.items():
        tests = [*wide.EACH, "cma_tables", "cma_fill", "cma_pinned"]
        selftests("x86_64" if board == "x86_64" else "arm")
        stage.boot(board, board, name, want_tests=True, timeout_s=1800,
                   append=f"{wide.APPEND} cma_pernuma=0",
                   commands=[PROFILE] + [f"/selftests/cma/{test}" for test in tests],
                   **(TWO_NODES if board == "x86_64" else {}))
    wide.boot_gigantic(stage, RT)


def races_of_others(symbols: Iterable[str]) -> str:
    """The head of a report of KCSAN's that names no function of ours."""
    ours = "|".join(sorted(re.escape(symbol) for symbol in symbols))
    return rf"BUG: KCSAN: data-race in (?!.*\b(?:{ours})\b)"


def functions(name: str, *objects: str) -> set[str]:
    """The functions that a kernel's objects define."""
    return {m[1] for m in re.finditer(r"^\S+ [tT] (\w+)", kbuild.nm(name, *objects), re.M)}


@stage("kcsan", ["kcsan-x86_64"], on_request=True)
def kcsan(stage: Stage) -> None:
    """Data races, of which only ours count."""
    name = "kcsan-x86_64"
    ours = functions(name, "mm/contig/built-in.a", "mm/cma/built-in.a",
                     *(f"drivers/base/{path}.o" for path in (
                         "dma-contiguous", "dma-areas")))
    stage.result("cma_release" in ours, "functions of ours", len(ours))
    selftests("x86_64")
    # Slow tests are about cost, and a million holders take too long here.
    stage.boot("x86_64", "x86_64", name, want_tests=True, timeout_s=1800,
               append=f"{wide.APPEND} kunit.filter=speed>slow",
               expect=["^kcsan: enabled early", "^kcsan: selftest: 3/3 "],
               may_say=[races_of_others(ours)],
               commands=[f"/selftests/cma/{test}" for test in CONCURRENT],
               **TWO_NODES)


@stage("hibernate", ["arm-hibernate"], on_request=True)
def hibernate(stage: Stage) -> None:
    """Buffers are what they were when the system was saved to a disk: those of
    exclusive areas and of parts of pageblocks, in low and in high memory."""
    selftests()
    stage.boot("hibernate", "virt", "arm-hibernate", swap="vda", want_tests=True,
               timeout_s=600, mem="1G",
               nodes=f"/ {{ keeper {{ {DEVICE} }}; }};",
               append="vmalloc=768M no_console_suspend cma=16M "
               "cma_areas=low/keeper=8M@0x44000000:exclusive+"
               "high/keeper=8M@0x60000000:exclusive+"
               "odd/keeper=1028K@0x62155000+lent/keeper=8M@0x64000000",
               commands=["mkswap /dev/vda && swapon /dev/vda",
                         f"{areas.CLIENT} keeper 8M=low-keeper 8M=high-keeper "
                         "256K=odd-keeper 4M=lent-keeper hibernate"],
               expect=["^cma: high-keeper: .*, highmem, exclusive",
                       "^cma: odd-keeper: .*, highmem, shared but for parts"])
