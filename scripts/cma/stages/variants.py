# SPDX-License-Identifier: GPL-2.0
"""Stages on the boards of every day with other kernels: debugging, LPAE, without an
allocator, and one that is a program.
"""

from collections.abc import Sequence
from typing import Any

from lab import boards, children, kbuild, skips, verdict
from stages import area_case, areas, identical
from stages.stage import Stage, guest_files, stage, test_driver
from stages.virt import test_boot

# The kernel checks itself as far as it can only if told so at boot.
DEBUG_APPEND = "page_poison=1 slub_debug=FZP"
# A stack for each page, and a mapping of its own, take most of the time.
OWNER_APPEND = DEBUG_APPEND + "U page_owner=on debug_pagealloc=on"
# No more memory than a file of the disk's fills, and some of it above 4 GiB.
LPAE_APPEND = "mem=160M@0x40000000 mem=128M@0x100000000"


@stage("debug", ["arm-debug"], beside=True)
def debug(stage: Stage) -> None:
    test_boot(stage, "virt", "virt", append=DEBUG_APPEND, mem="288M",
              kernel="arm-debug", timeout_s=3000,
              after=["/leak_test"], files=guest_files("leak_test"))
    test_boot(stage, "owners", "virt", append=OWNER_APPEND, mem="288M",
              kernel="arm-debug", timeout_s=900,
              only=["cma_basic", "cma_interface", "cma_cache", "cma_share", "cma_report"])


@stage("lpae", ["arm-lpae"])
def lpae(stage: Stage) -> None:
    """An area above 4 GiB, for a device that reaches it and for one that does
    not; and where the default area lies unless it is told."""
    where: dict[str, Any] = {"kernel": "arm-lpae", "board": "virt-highmem"}
    far = "cma=64M@0x100000000"
    test_boot(stage, "lpae", append=f"{LPAE_APPEND} {far}", timeout_s=1800,
              commands=[test_driver("dma_bits=36")],
              expect=["^cma: reserved: 64 MiB at 0x0*100000000-"], **where)

    def boot(name: str, append: str, commands: Sequence[str], expect: Sequence[str],
             timeout_s: int = 180, **more: Any) -> None:
        stage.boot(name, append=append, commands=commands, expect=expect,
                   want_tests=True, timeout_s=timeout_s, **where, **more)

    # All 4 GiB, which no 32 bit program could fill.
    for name, append, bits, steps, place in (
            # One that is out of reach is none: then ordinary pages serve.
            ("far", far, 32, "4K=none 4M=none 64M=nothing", "0x0*100000000"),
            ("far-reached", far, 36, "4*16M=reserved 16M=nothing", "0x0*100000000"),
            ("near", "cma=64M", 32, "16M=reserved", "0x0*fc000000")):
        boot(name, append, [test_driver(f"dma_bits={bits}"), f"{areas.CLIENT} - {steps}"],
             [f"^cma: reserved: 64 MiB at {place}-"])
    # The page tables lie below the kernel, and its sections are left whole.
    boot("tables", "cma=1M@0x40100000", [f"{areas.CLIENT} - 4M=reserved"],
         ["^cma: reserved: .* overlaps the kernel at "])
    # More than 32 bits count, in one area; and where areas lie unless told.
    boot("huge", "cma=4G@0x100000000",
         ["test $(cat /sys/kernel/debug/cma/reserved/count) = 1048576",
          f"{areas.CLIENT} - 4K=none"],
         ["^cma: reserved: 4096 MiB at 0x0*100000000-0x0*1ffffffff,"
          " highmem, shared, for all devices, from the command "], 300, mem="8G")
    boot("reach", "cma=16M cma_areas=banka/camera=8M+bankb=8M",
         [f"{areas.CLIENT} camera 4M=banka-camera"],
         [rf"^cma: {name}: 8 MiB at 0x0*[4-9a-f]\w{{7}}-"
          for name in ("pool", "banka-camera", "bankb")],
         nodes=area_case.tree("""
	pool: pool { AREA size = <0 0x800000>; };
""".replace("AREA", area_case.AREA), "\tcamera { %s };\n" % area_case.DEVICE))
    # Large pages in the mapping of all memory.
    boot("low", f"cma=64M@0x44000000 {areas.KUNIT_DMA}", ["true"],
         ["^cma: reserved: 64 MiB at 0x0*44000000-"])
    # As many areas as there can be, the default one beside them; one too many.
    boot("many", "cma=16M cma_areas=" + ";".join(f"t{i}=2M" for i in range(65)),
         ["test $(ls /sys/kernel/mm/cma | wc -l) = 65",
          f"{areas.CLIENT} - 8M=reserved", "/selftests/cma/cma_heap"],
         ["^cma: t0: 2 MiB at ", "^cma: t63: 2 MiB at ",
          "^cma: t64: there are 64 areas already", "^cma: reserved: 16 MiB at "])


@stage("bare", ["bare-arm"])
def bare(stage: Stage) -> None:
    for board in (n for n, b in boards.BOARDS.items() if b.kernel == "arm"):
        stage.boot(board, board, "bare-arm", timeout_s=180, commands=[
            "grep MemTotal /proc/meminfo",
            "! grep -E 'Cma|cma_alloc' /proc/meminfo /proc/vmstat"])


@stage("identical", identical.KERNELS)
def the_same(stage: Stage) -> None:
    """CONFIG_CMA=n leaves no trace."""
    bare, ours = map(identical.programs, identical.KERNELS)
    stage.result(bare.keys() == ours.keys(), "the same modules", bare.keys() ^ ours.keys())
    for path in sorted(bare.keys() & ours.keys()):
        differ = identical.differences(bare[path], ours[path])
        stage.result(not differ, f"CONFIG_CMA=n is bare: {path}",
                     "different: " + ", ".join(differ))


@stage("kasan", ["kasan"])
def kasan(stage: Stage) -> None:
    """The pure parts under KASAN, in a kernel that is a program."""
    folder = kbuild.obj("kasan")
    done = children.capture(
        [kbuild.our_tree() / "tools/testing/kunit/kunit.py", "exec",
         "--build_dir", folder, "--timeout", "900",
         *(f"--kernel_args={arg}" for arg in f"loglevel=8 panic=-1 {kbuild.AUTORUN}".split()),
         "cma_*"])
    console = (folder / "test.log").read_text(errors="replace")
    stage.log("kasan", console)
    lines = console.splitlines()
    judged = verdict.judge(lines + [verdict.DONE], True)
    has = skips.features((folder / ".config").read_text())
    stage.tests("kasan", judged.tests, has)
    stage.result(done.returncode == 0 and judged.ok, "kasan", judged.problems + lines[-12:])
