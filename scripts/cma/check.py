#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs every test of the project, the quick ones first.

    check.py                 all stages
    check.py --only STAGE    one or more of them, in the order of all
    check.py --list

The last line is "N passed, N failed, N skipped"; the exit status is 0 only
if nothing failed. What cannot run has failed. Logs: $BUILD/check/.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import boards, children, kbuild, lock, picture, skips, verdict
from stages import (areas, areas_wrong, binding, bisect, debian, identical,
                    kernels, provoked, wide)
import measure.cases
from stages.stage import (BUILD, HERE, LOGS, Builder, Stage, guest_files, selftests,
                   test_driver)
from trees import overlay

REPO = kbuild.REPO

# Ours, as far as a compiler or kernel-doc reads it.
LINT_DMA = [f"drivers/base/dma-{name}.o" for name in (
    "contiguous", "areas", "areas-request", "areas-declare", "areas-claims",
    "areas-cmdline")]
LINT_TARGETS = {
    "lint-arm": ["mm/contig/", "mm/cma/", "samples/cma/", *LINT_DMA,
                 "drivers/base/dma-areas-of.o", "drivers/base/dma-areas-fdt.o",
                 *(f"arch/arm/mm/dma-{name}.o" for name in (
                     "contiguous", "buffers", "entries", "lowmem", "highmem"))],
    "lint-x86_64": ["mm/contig/", "mm/cma/", *LINT_DMA],
}
OUR_CODE = ["mm/contig/", "mm/cma/", "samples/cma/", "drivers/base/dma-contiguous.c",
            "drivers/base/dma-areas", "arch/arm/mm/dma-", "include/linux/cma.h",
            "include/linux/dma-contiguous.h", "include/trace/events/cma.h",
            "tools/testing/selftests/cma/"]

# What checkpatch says without reason: start of the path, types.
ALLOWED = [
    # The macros of trace events are a language of their own.
    ("include/trace/events/", {"COMPLEX_MACRO", "OPEN_ENDED_LINE",
                               "PARENTHESIS_ALIGNMENT"}),
    # cma_for_each_area() is a function, __ClearPageReserved() the kernel's.
    ("mm/cma/area.c", {"OPEN_BRACE"}),
    ("mm/cma/lend.c", {"CAMELCASE"}),
    # What kmap() leaves behind is what that test is about.
    ("mm/cma/tests/mapping_kunit.c", {"DEPRECATED_API"}),
    # Not every 6.12 has <linux/pgalloc.h>.
    ("arch/arm/mm/dma-lowmem.c", {"INCLUDE_LINUX"}),
    # A device of the tests' own device trees, which no board has.
    ("mm/cma/tests/dma_test.c", {"UNDOCUMENTED_DT_STRING"}),
    # Documented in an edit of kernel-parameters.txt, which is no whole file.
    ("mm/contig/inject.c", {"UNDOCUMENTED_SETUP"}),
    # Which of two sizes counts takes no four lines to explain.
    ("mm/cma/Kconfig", {"CONFIG_DESCRIPTION"}),
    # User space has neither BIT_ULL() nor strscpy(), and a pointer to
    # FIXTURE_DATA(x) is no product.
    ("tools/testing/selftests/", {"BIT_MACRO", "SPACING", "STRCPY"}),
    # MAINTAINERS has an entry, in another patch of the series; that it is
    # complete is a test of the stage host.
    ("", {"FILE_PATH_CHANGES"}),
]
NO_TYPO = "filp"

# The kernel checks itself as far as it can only if told so at boot.
DEBUG_APPEND = "page_poison=1 slub_debug=FZP"
# A stack for each page, and a mapping of its own, take most of the time.
OWNER_APPEND = DEBUG_APPEND + "U page_owner=on debug_pagealloc=on"
# No more memory than a file of the disk's fills, and some of it above 4 GiB.
LPAE_APPEND = "mem=160M@0x40000000 mem=128M@0x100000000"

BENCH_CASES = ["free", "kept", "swap", "pinned"]
COST = re.compile(r"(\d+) holders: place (\d+) ns, hold (\d+) ns, "
                  r"release (\d+) ns")
COST_GROWTH = 3		# from a thousand holders to a million; logarithms: 2

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


def overlay_files(*starts):
    """The repository's files that go into a folder of the kernel tree, whole."""
    files = overlay.Overlay(REPO, BUILD).files.values()
    return [name for name, edit in files if not edit and "/" in name
            and (not starts or name.startswith(starts))]


def allowed(name, line):
    """True if this remark of checkpatch's is in ALLOWED."""
    said = re.search(r": (?:ERROR|WARNING|CHECK):(\w+): ", line)
    return said and any(name.startswith(start) and said[1] in types
                        for start, types in ALLOWED)


def stage_host(stage):
    """unittest: the trees, the tools, the verdict."""
    done = children.run(
        [sys.executable, "-B", "-m", "unittest", "discover", "-v", "-t", str(HERE), "-s",
         str(HERE / "tests")], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    stage.log("unittest", done.stdout)
    judge_unittest(stage, done.stdout, done.returncode)


def judge_unittest(stage, said, status):
    """What does not pass is named; nothing has a reason to skip."""
    ran = re.search(r"^Ran (\d+) tests?", said, re.M)
    bad = re.findall(r"^(?:FAIL|ERROR): (.*)$", said, re.M)
    bad += re.findall(r"^(.*) \.\.\. (?:skipped|unexpected success)\b", said, re.M)
    for name in bad:
        stage.result(False, name)
    counts = dict(re.findall(r"([a-z][a-z ]*)=(\d+)",
                             said.strip().rpartition("\n")[2]))
    counts.pop("expected failures", None)
    nr_bad = sum(map(int, counts.values()))
    if not ran or nr_bad > len(bad) or (status and not nr_bad):
        stage.result(False, "unittest", said[-2000:])
    stage.passed += max(int(ran[1]) - nr_bad, 0) if ran else 0


def stage_tree(stage):
    """What is tested is what the repository says."""
    stage.run("tree", [HERE / "tree.py", "tree"])


def stage_series(stage):
    """The patch series is generated and gives the tree back."""
    stage.run("series", [HERE / "tree.py", "series"])


def stage_style(stage):
    """checkpatch, kernel-doc and codespell on each file; checkpatch on each
    patch for what is not in the files: edits, messages."""
    files = overlay_files()
    checkpatch = ["scripts/checkpatch.pl", "--strict", "--terse",
                  "--show-types", "--no-summary"]
    code = [f for f in overlay_files(*OUR_CODE) if f.endswith((".c", ".h"))]
    for tool, names, cmd in (
            ("checkpatch", files, checkpatch + ["--file"]),
            ("kernel-doc", code, ["scripts/kernel-doc", "-none", "-Wall"]),
            ("codespell", files, ["codespell", "-L", NO_TYPO])):
        said = {name: [] for name in names}
        for line in stage.output(tool, cmd + [REPO / n for n in names]):
            line = line.removeprefix(f"{REPO}/")
            name = line.split(":")[0]
            if not allowed(name, line):
                said.setdefault(name, []).append(line)
        for name, lines in said.items():
            stage.result(not lines, f"{tool} {name}", "\n".join(lines))
    patches = sorted((BUILD / "patches").glob("*.patch"))
    stage.result(bool(patches), "patches to check",
                 "none; the stage series makes them")
    for patch in patches:
        lines = [line for line in stage.output(
                     patch.name, checkpatch + ["--showfile", patch])
                 if line.split(":")[0] not in files
                 and not allowed(line.split(":")[0], line)]
        stage.result(not lines, f"checkpatch {patch.name}", "\n".join(lines))


def stage_lint(stage):
    """W=1 and sparse, on what is ours."""
    for name, targets in LINT_TARGETS.items():
        src = kbuild.configure(name)
        here = [t for t in targets
                if (src / re.sub(r"\.o$", ".c", t)).exists()]
        if not here:
            stage.result(False, f"{name}: nothing of ours in {src}")
            continue
        lines, _, _ = kbuild.make(name, ["W=1", "C=2"] + here, src,
                                  LOGS / f"lint-{name}.log")
        checked = sum(l.startswith("  CHECK ") for l in lines)
        bad = [l for l in lines if re.search(r"\b(?:warning|error):", l)
               and any(p in l for p in OUR_CODE)]
        stage.result(checked and here == targets and not bad,
                     f"{name}: {checked} files, missing "
                     f"{set(targets) - set(here) or 'none'}", "\n".join(bad))


# What maps pages of an area, and who else may hold them. All selftests run with
# an area in highmem in the stage lpae.
IN_HIGHMEM = ["cma_basic", "cma_mode", "cma_concurrent", "cma_mapping",
              "cma_occupied", "cma_share"]


def test_boot(stage, name, board, commands=(), after=(), append="", quick=True,
              only=None, **kw):
    """KUnit and every selftest, or some, on one board, between other
    commands."""
    if quick:
        append += " " + boards.QUICK
    tests = [path for path in selftests()
             if not only or Path(path).name in only]
    stage.boot(name, board, disk=True, want_tests=True, ask_host=True,
               commands=[*commands, *tests, *after],
               append="cma=64M kunit.enable=1 kunit.filter_glob=cma* "
               + append, **kw)


def stage_virt(stage):
    test_boot(stage, "virt", "virt", quick=False, timeout_s=1800)


def stage_vexpress(stage):
    """Little lowmem, so that the area lies in highmem; and the display."""
    little = {"mem": "384M", "append": "vmalloc=768M"}
    test_boot(stage, "vexpress", "vexpress-a9", only=IN_HIGHMEM,
              timeout_s=900, **little)
    little["append"] += " cma=64M"
    got = stage.boot("display", "vexpress-a9", disk=True, want_tests=True,
                     ask_host=True, commands=["/display_test"], timeout_s=300,
                     files=guest_files("display_test", "fill_memory"),
                     **little)
    said = [line for screen in got.screens for line in picture.faults(screen)]
    stage.result(len(got.screens) == 1 and not said, "the picture on display",
                 "\n".join(said))


def stage_clients(stage):
    """Drivers and programs that were there before: cameras, and the kernel's
    own test of dma-buf heaps."""
    selftests()
    stage.boot("clients", "virt", disk=True, want_tests=True,
               append="cma=64M", timeout_s=180,
               files=guest_files("camera_test", "fill_memory"),
               commands=["/camera_test",
                         "/selftests/dmabuf-heaps/dmabuf-heap"])


def stage_lpae(stage):
    """An area above 4 GiB, for a device that reaches it and for one that does
    not; and where the default area lies unless it is told."""
    where = {"kernel_dir": kbuild.obj("arm-lpae"), "board": "virt-highmem"}
    far = " cma=64M@0x100000000"
    test_boot(stage, "lpae", append=LPAE_APPEND + far, timeout_s=1800,
              commands=[test_driver("dma_bits=36")],
              expect=["^cma: reserved: 64 MiB at 0x0*100000000-"], **where)
    # All 4 GiB, which no 32 bit program could fill.
    for name, append, bits, steps, place in (
            # One that is out of reach is none: then ordinary pages serve.
            ("far", far, 32, "4K=none 4M=none 64M=nothing", "0x0*100000000"),
            ("far-reached", far, 36, "4*16M=reserved 16M=nothing",
             "0x0*100000000"),
            ("near", " cma=64M", 32, "16M=reserved", "0x0*fc000000")):
        stage.boot(name, append=append, want_tests=True, timeout_s=180,
                   commands=[test_driver(f"dma_bits={bits}"),
                             f"{areas.CLIENT} - {steps}"],
                   expect=[f"^cma: reserved: 64 MiB at {place}-"], **where)
    # The page tables lie below the kernel, and its sections are left whole.
    stage.boot("tables", append=" cma=1M@0x40100000", want_tests=True,
               timeout_s=180, commands=[f"{areas.CLIENT} - 4M=reserved"],
               expect=["^cma: reserved: .* overlaps the kernel at "], **where)
    # More than 32 bits count, in one area; and where areas lie unless told.
    stage.boot("huge", append=" cma=4G@0x100000000", mem="8G", want_tests=True,
               timeout_s=300, commands=[
                   "test $(cat /sys/kernel/debug/cma/reserved/count) = 1048576",
                   f"{areas.CLIENT} - 4K=none"],
               expect=["^cma: reserved: 4096 MiB at 0x0*100000000-0x0*1ffffffff,"
                       " highmem, shared, for all devices, from the command "],
               **where)
    stage.boot("reach", append="cma=16M cma_areas=banka/camera=8M+bankb=8M",
               want_tests=True, timeout_s=180, nodes=areas.tree("""
	pool: pool { AREA size = <0 0x800000>; };
""".replace("AREA", areas.AREA), "\tcamera { %s };\n" % areas.DEVICE),
               commands=[f"{areas.CLIENT} camera 4M=banka-camera"],
               expect=[rf"^cma: {name}: 8 MiB at 0x0*[4-9a-f]\w{{7}}-"
                       for name in ("pool", "banka-camera", "bankb")], **where)
    # Large pages in the mapping of all memory.
    stage.boot("low", append=f"cma=64M@0x44000000 {areas.KUNIT_DMA}",
               want_tests=True, timeout_s=180, commands=["true"],
               expect=["^cma: reserved: 64 MiB at 0x0*44000000-"], **where)
    # As many areas as there can be, the default one beside them; one too many.
    stage.boot("many", append="cma=16M cma_areas=" + ";".join(
                   f"t{i}=2M" for i in range(65)), want_tests=True,
               timeout_s=180, commands=[
                   "test $(ls /sys/kernel/mm/cma | wc -l) = 65",
                   f"{areas.CLIENT} - 8M=reserved",
                   "/selftests/cma/cma_heap"],
               expect=["^cma: t0: 2 MiB at ", "^cma: t63: 2 MiB at ",
                       "^cma: t64: there are 64 areas already",
                       "^cma: reserved: 16 MiB at "], **where)


def stage_debug(stage):
    test_boot(stage, "virt", "virt", append=DEBUG_APPEND, mem="288M",
              kernel_dir=kbuild.obj("arm-debug"), timeout_s=3000,
              after=["/leak_test"], files=guest_files("leak_test"))
    test_boot(stage, "owners", "virt", append=OWNER_APPEND, mem="288M",
              kernel_dir=kbuild.obj("arm-debug"), timeout_s=900,
              only=["cma_basic", "cma_interface", "cma_cache", "cma_share"])


def stage_parameters(stage):
    """Bad input gets its message and the board boots on."""
    wanted = [(bad, rf'^cma: "{re.escape(bad)}" ignored: .*{why}')
              for bad, why in IGNORED]
    wanted += [(bad, f"^cma: .*(?:{why})") for bad, why in NOT_PLACED]
    wanted += [(given, rf"^cma: reserved: {size} at {base}-0x\w+"
                r"(?:, 0x\w+-0x\w+)?, lowmem, "
                "shared( but for parts of pageblocks)?, for all devices, "
                "from the command line$") for given, size, base in TAKEN]
    for bad, message in wanted:
        stage.boot(re.sub(r"\W", "_", bad), "virt", append=bad, mem="256M",
                   timeout_s=180, commands=["grep MemTotal /proc/meminfo"],
                   expect=[message])


def check_binding(stage, cases):
    """dt-schema has nothing against what is right and names what is wrong; and
    as long as it does not know our property, nothing else that is ours."""
    try:
        today = binding.Binding(binding.fetch_schemas(BUILD))
    except debian.Unavailable as err:
        stage.skip("the binding", f"no schemas: {err}")
        return
    with tempfile.TemporaryDirectory(prefix="cma-dtb-") as tmp:
        wanted = today.edited(tmp)
        said = wanted.faults_of_its_own()
        stage.result(not said, "the binding", said)
        dtb = Path(tmp) / "nodes.dtb"
        for case in cases:
            if case.refused is None:
                continue
            case.compile(dtb)
            said = wanted.faults(dtb)
            stage.result(case.refused_by(said), f"{case.name}: the binding",
                         said or "it says nothing against it")
            said = binding.unknown(today.faults(dtb))
            stage.result(said <= {binding.PROPERTY},
                         f"{case.name}: no other property", said)


def end_of_kernel(name):
    """The first page behind the kernel on virt, where RAM begins at 1 GiB."""
    nm = kbuild.CROSS[kbuild.KERNELS[name].arch] + "nm"
    symbols = kbuild.run([nm, kbuild.obj(name) / "vmlinux"],
                         stdout=subprocess.PIPE).stdout
    end = int(re.search(r"^(\w+) \w _end$", symbols, re.M)[1], 16)
    return ((end - 0xc0000000 + 0xfff) & ~0xfff) + 0x40000000


def stage_areas(stage):
    """Each form of an area, as board engineers write it, and each error. The
    examples of the manual are booted as they stand there."""
    selftests()
    manual = areas.manual_cases(REPO / areas.MANUAL_RST)
    check_binding(stage, areas.TREES + [areas.MANUAL_TREE])
    cases = [*areas.TREES, *manual, *areas.OTHERS, *areas_wrong.CASES,
             areas.beside_kernel(end_of_kernel("arm"))]
    userlands = {boards.BOARDS[c.board].arch.userland for c in cases}
    kbuild.userland(*sorted(userlands))
    for name, (userland, _) in kbuild.PROGRAMS.items():
        if userland in userlands:
            selftests(name)

    def boot(case):
        stage.boot(case.name, case.board, nodes=case.nodes,
                   overlays=case.overlays, append=case.append, mem=case.mem,
                   commands=case.commands, expect=case.expect,
                   want_tests=True, timeout_s=300)

    # Boards wait for something half of the time.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(boot, cases))


def stage_bare(stage):
    for board in (n for n, b in boards.BOARDS.items() if b.kernel == "arm"):
        stage.boot(board, board, kernel_dir=kbuild.obj("bare-arm"),
                   timeout_s=180,
                   commands=["grep MemTotal /proc/meminfo",
                             "! grep -E 'Cma|cma_alloc' "
                             "/proc/meminfo /proc/vmstat"])


def stage_demo(stage):
    """The demonstration, as a newcomer runs it."""
    stage.run("demo", [HERE / "demo.py", "--no-build"])


def stage_bench(stage):
    """What needs no second kernel and repeats to the digit keeps its goals."""
    said = stage.run("bench", [HERE / "bench.py", "--only", "ours",
                               "--no-build", "--case", ",".join(BENCH_CASES)])
    nr = len(measure.cases.goals_of(BENCH_CASES))
    missed = [line for line in said.splitlines() if line.endswith("MISSED")]
    stage.result(nr and f"\n{nr} of {nr} goals hold" in "\n" + said,
                 f"the {nr} goals of {', '.join(BENCH_CASES)}",
                 "\n".join(missed))


def stage_cost(stage):
    """What the range costs hardly grows with its holders, in instructions."""
    got = stage.boot("range", "virt", icount=True, want_tests=True,
                     commands=["true"], timeout_s=600,
                     append="kunit.enable=1 kunit.filter_glob=cma_range_cost")
    costs = {int(m[1]): list(map(int, m.groups()[1:]))
             for m in map(COST.search, got.lines) if m}
    few, many = costs.get(1000), costs.get(1000000)
    stage.result(few and many and all(m <= COST_GROWTH * f for f, m
                                      in zip(few, many)),
                 "the cost with a million holders", costs)


def stage_stress(stage):
    """A busy minute, after which the area is still in large pieces."""
    stage.run("stress", [HERE / "stress.py", "--only", "ours", "--no-build",
                         "--minutes", "1"])


def stage_kasan(stage):
    """The pure parts under KASAN, in a kernel that is a program."""
    done = children.run(
        [kbuild.obj("kasan") / "linux", "mem=512M", "stderr=1",
         "printk.time=1", "loglevel=8", "panic=-1", "kunit.enable=1",
         "kunit.filter_glob=cma_*", "kunit_shutdown=halt"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.STDOUT, timeout=900, errors="replace")
    lines = done.stdout.splitlines()
    stage.log("kasan", done.stdout)
    judged = verdict.judge(lines + [verdict.DONE], True)
    has = skips.features((kbuild.obj("kasan") / ".config").read_text())
    stage.tests("kasan", judged.tests, has)
    stage.result(done.returncode == 0 and judged.ok, "kasan",
                 "\n".join(judged.problems + lines[-12:]))


def only_build(stage):
    """Its kernels are all there is to this stage."""


STAGES = {
    "tree": stage_tree,
    "series": stage_series,
    "host": stage_host,
    "style": stage_style,
    "lint": stage_lint,
    "build": only_build,
    "virt": stage_virt,
    "vexpress": stage_vexpress,
    "parameters": stage_parameters,
    "areas": stage_areas,
    "clients": stage_clients,
    "demo": stage_demo,
    "bench": stage_bench,
    "cost": stage_cost,
    "stress": stage_stress,
    "debug": stage_debug,
    "lpae": stage_lpae,
    "bare": stage_bare,
    "identical": identical.stage_identical,
    "kasan": stage_kasan,
    "64-bit": wide.stage_64_bit,
    "bare-64-bit": only_build,
    "configs": kernels.stage_configs,
    "without": kernels.stage_without,
    "rt": kernels.stage_rt,
    "kcsan": kernels.stage_kcsan,
    "hibernate": kernels.stage_hibernate,
    "boards": wide.stage_boards,
    "messages": provoked.stage_messages,
    "by-hand": wide.stage_by_hand,
    "boards-whole": wide.stage_boards_whole,
    "bisect": bisect.stage_bisect,
}
# These change the kernel trees.
TREE_STAGES = ["tree", "series"]
# One processor has something to do most of the time, and for the longest.
LONG_BOOT = "debug"
# What a stage boots or looks at; made up to date before it begins.
KERNELS = {
    **dict.fromkeys(["build", "virt", "vexpress", "parameters",
                     "clients", "demo", "bench", "cost", "stress"],
                    ["arm"]),
    "areas": ["arm", "arm-boards", "armv5"],
    "lpae": ["arm-lpae"],
    "debug": ["arm-debug"],
    "bare": ["bare-arm"],
    "identical": identical.KERNELS,
    "kasan": ["kasan"],
    "64-bit": ["arm64", "x86_64"],
    "bare-64-bit": ["bare-arm64", "bare-x86_64"],
    "without": ["nocma-arm64", "nocma-x86_64"],
    "rt": list(kernels.RT.values()),
    "kcsan": ["kcsan-x86_64"],
    "hibernate": ["arm-hibernate"],
    "boards": ["arm-boards", "armv5"],
    "by-hand": list(dict.fromkeys(b.kernel for b in boards.BOARDS.values())),
    "boards-whole": ["arm-boards", "armv5", "arm64", "x86_64"],
}
# More than one wants to wait for with every change: "make check-boards" and
# "make check-kernels".
ON_REQUEST = ["bare-64-bit", "without", "rt", "kcsan", "hibernate", "messages",
              "by-hand", "boards-whole", "bisect"]


def run_stage(builder, name):
    """A stage from its kernels to its sum. A kernel that does not build is
    not booted as it was before."""
    print(f"=== {name}", flush=True)
    stage = Stage(name)
    try:
        if builder.build_for(stage, KERNELS.get(name, ())):
            STAGES[name](stage)
    except kbuild.BuildError as err:
        stage.result(False, name, err)
    except Exception:
        stage.result(False, name, traceback.format_exc())
    print(f"=== {name}: {stage.passed} passed, {stage.failed} failed, "
          f"{stage.skipped} skipped, "
          f"{time.monotonic() - stage.start:.0f} s", flush=True)
    return stage


def run_stages(names):
    """Those that change the trees come first, then kernels are built while
    the others run. One long boot goes on beside all that come after it."""
    stages, beside = [], []
    builder = Builder()
    names = [n for n in STAGES if n in names]
    ahead = list(dict.fromkeys(k for n in names for k in KERNELS.get(n, ())))
    with ThreadPoolExecutor(1) as pool:
        for name in names:
            if ahead and name not in TREE_STAGES:
                builder.build_ahead(ahead)
                ahead = []
            if name == LONG_BOOT:
                beside.append(pool.submit(run_stage, builder, name))
            else:
                stages.append(run_stage(builder, name))
        return stages + [stage.result() for stage in beside]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=STAGES,
                        metavar="STAGE",
                        default=[s for s in STAGES if s not in ON_REQUEST])
    parser.add_argument("--list", action="store_true")
    opts = parser.parse_args()
    if opts.list:
        print("\n".join(STAGES))
        return 0
    children.end_on_signals()
    LOGS.mkdir(parents=True, exist_ok=True)
    with lock.held(BUILD):		# of all that the stages start
        kbuild.userland()
        stages = run_stages(opts.only)
    passed, failed, skipped = (sum(getattr(s, k) for s in stages)
                               for k in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
