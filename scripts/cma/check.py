#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs every test of the project, the quick ones first.

    check.py                 all stages
    check.py --only STAGE    one or more of them
    check.py --list

The last line is "N passed, N failed, N skipped"; the exit status is 0 only
if nothing failed. What cannot run has failed. Logs: $BUILD/check/.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import areas
import boards
import kernel
import picture
import stages_boards
import verdict
from stage import (BUILD, HERE, LOGS, Builder, Stage, guest_files, selftests,
                   test_driver)

REPO = kernel.REPO

# Ours, as far as a compiler or kernel-doc reads it.
LINT_DMA = [f"drivers/base/dma-{name}.o" for name in (
    "contiguous", "areas", "areas-declare", "areas-cmdline")]
LINT_TARGETS = {
    "lint-arm": ["mm/cma/", "samples/cma/", *LINT_DMA,
                 "drivers/base/dma-areas-of.o", "drivers/base/dma-areas-fdt.o",
                 *(f"arch/arm/mm/dma-{name}.o" for name in (
                     "contiguous", "buffers", "entries", "lowmem", "highmem"))],
    "lint-x86_64": ["mm/cma/", *LINT_DMA],
}
OUR_CODE = ["mm/cma/", "samples/cma/", "drivers/base/dma-contiguous.c",
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
    # Documented in an edit of kernel-parameters.txt, which is no whole file.
    ("mm/cma/fail.c", {"UNDOCUMENTED_SETUP"}),
    # Which of two sizes counts takes no four lines to explain.
    ("mm/cma/Kconfig", {"CONFIG_DESCRIPTION"}),
    # User space has neither BIT_ULL() nor strscpy(), and a pointer to
    # FIXTURE_DATA(x) is no product.
    ("tools/testing/selftests/", {"BIT_MACRO", "SPACING", "STRCPY"}),
    # MAINTAINERS has an entry, in another patch of the series.
    ("", {"FILE_PATH_CHANGES"}),
]
NO_TYPO = "filp"

# The kernel checks itself as far as it can only if told so at boot.
DEBUG_APPEND = "debug_pagealloc=on page_poison=1 page_owner=on slub_debug=FZPU"
# No more memory than a file of the disk's fills, and some of it above 4 GiB.
LPAE_APPEND = "mem=160M@0x40000000 mem=128M@0x100000000"

# cma= as nobody should write it, and what is said to it. The board, with
# 256 MiB at 1 GiB, has to boot on.
IGNORED = [
    ("cma=", "a number is missing"),
    ("cma=foo", "a number is missing"),
    ("cma=-5M", "a number is missing"),
    ("cma=64X", "unknown unit"),
    ("cma=64M,64M", "garbage"),
    ("cma=64M@", "a number is missing"),
    ("cma=64M@zz", "a number is missing"),
    ("cma=64M@0x48000000-", "a number is missing"),
    ("cma=64M@0x48000000-0x44000000", "limit is not above the base"),
    ("cma=64M@0x48000000-0x49000000", "does not fit between"),
    ("cma=64M@0xfff00000", "past the end of the address space"),
    ("cma=4096G", "too large"),
    ("cma=99999999999999999999M", "too large"),
    ("cma=16M@0xffffffff00000000", "too large"),
]
NOT_PLACED = [
    ("cma=512M", "512|0x20000000"),
    ("cma=16M@0x40000000", "0x40000000.*in use"),
    ("cma=16M@0x90000000", "0x90000000"),
    ("cma=16M@0x44000800", "0x44000800.*aligned"),
]


def overlay_files(*starts):
    """The repository's files that go into the kernel tree, whole."""
    done = subprocess.run(
        ["git", "-C", str(REPO), "ls-files", "-co", "--exclude-standard"],
        check=True, capture_output=True, text=True)
    names = [n for n in done.stdout.splitlines()
             if "/" in n and (REPO / n).is_file()
             and not n.startswith(("scripts/cma/", ".", "build/"))
             and not n.endswith(".diff")]
    return [n for n in names if not starts or n.startswith(starts)]


def allowed(name, line):
    """True if this remark of checkpatch's is in ALLOWED."""
    said = re.search(r": (?:ERROR|WARNING|CHECK):(\w+): ", line)
    return said and any(name.startswith(start) and said[1] in types
                        for start, types in ALLOWED)


def stage_host(stage):
    """unittest: the trees, the tools, the verdict."""
    done = subprocess.run(
        [sys.executable, "-B", "-m", "unittest", "discover", "-v", "-s",
         str(HERE / "tests")], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    stage.log("unittest", done.stdout)
    ran = re.search(r"^Ran (\d+) tests?", done.stdout, re.M)
    last = done.stdout.strip().splitlines()[-1]
    counts = {k: int(v) for k, v in re.findall(r"([\w ]+?)=(\d+)", last)}
    bad = sum(counts.get(k, 0) for k in ("failures", "errors",
                                         "unexpected successes"))
    stage.skipped += counts.get("skipped", 0)
    stage.passed += int(ran[1]) - bad - counts.get("skipped", 0) if ran else 0
    for name in re.findall(r"^(?:FAIL|ERROR): (.*)$", done.stdout, re.M):
        stage.result(False, name)
    if not ran or (done.returncode and not bad):
        stage.result(False, "unittest", done.stdout[-2000:])


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
        src = kernel.configure(name)
        here = [t for t in targets
                if (src / re.sub(r"\.o$", ".c", t)).exists()]
        if not here:
            stage.result(False, f"{name}: nothing of ours in {src}")
            continue
        lines, _, _ = kernel.make(name, ["W=1", "C=2"] + here, src,
                                  LOGS / f"lint-{name}.log")
        checked = sum(l.startswith("  CHECK ") for l in lines)
        bad = [l for l in lines if re.search(r"\b(?:warning|error):", l)
               and any(p in l for p in OUR_CODE)]
        stage.result(checked and here == targets and not bad,
                     f"{name}: {checked} files, missing "
                     f"{set(targets) - set(here) or 'none'}", "\n".join(bad))


def test_boot(stage, name, board, commands=(), append="", quick=True, **kw):
    """KUnit and every selftest on one board."""
    if quick:
        append += " " + boards.QUICK
    stage.boot(name, board, disk=True, want_tests=True, ask_host=True,
               commands=list(commands) + selftests(),
               append="cma=64M kunit.enable=1 kunit.filter_glob=cma* "
               + append, **kw)


def stage_virt(stage):
    test_boot(stage, "virt", "virt", quick=False, timeout_s=900)


def stage_vexpress(stage):
    """Little lowmem, so that the area lies in highmem; and the display."""
    little = {"mem": "384M", "append": "vmalloc=768M"}
    test_boot(stage, "vexpress", "vexpress-a9", timeout_s=900, **little)
    little["append"] += " cma=64M"
    got = stage.boot("display", "vexpress-a9", disk=True, want_tests=True,
                     ask_host=True, commands=["/display_test"], timeout_s=120,
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
    where = {"kernel_dir": kernel.obj("arm-lpae"), "board": "virt-highmem"}
    far = " cma=64M@0x100000000"
    test_boot(stage, "lpae", append=LPAE_APPEND + far, timeout_s=900,
              commands=[test_driver("dma_bits=36")],
              expect=["^cma: reserved: 64 MiB at 0x0*100000000, "], **where)
    # All 4 GiB, which no 32 bit program could fill.
    for name, append, bits, steps, place in (
            # An error when ordinary pages do not help either.
            ("far", far, 32, "4K=none 4M=nothing", "0x0*100000000"),
            ("far-reached", far, 36, "3*16M=reserved 16M=nothing",
             "0x0*100000000"),
            ("near", " cma=64M", 32, "16M=reserved", "0x0*fc000000")):
        stage.boot(name, append=append, want_tests=True, timeout_s=60,
                   commands=[test_driver(f"dma_bits={bits}"),
                             f"{areas.CLIENT} - {steps}"],
                   expect=[f"^cma: reserved: 64 MiB at {place}, "], **where)
    # As many areas as there can be, the default one beside them; one too many.
    stage.boot("many", append="cma=16M cma_areas=" + ";".join(
                   f"t{i}=2M" for i in range(65)), want_tests=True,
               timeout_s=60, commands=[
                   "test $(ls /sys/kernel/mm/cma | wc -l) = 65",
                   f"{areas.CLIENT} - 8M=reserved",
                   "/selftests/cma/cma_heap"],
               expect=["^cma: t0: 2 MiB at ", "^cma: t63: 2 MiB at ",
                       "^cma: t64: there are 64 areas already",
                       "^cma: reserved: 16 MiB at "], **where)


def stage_debug(stage):
    test_boot(stage, "virt", "virt", append=DEBUG_APPEND, mem="384M",
              kernel_dir=kernel.obj("arm-debug"), timeout_s=1500)


def stage_parameters(stage):
    """Bad input gets its message and the board boots on."""
    wanted = [(bad, rf'^cma: "{re.escape(bad)}" ignored: .*{why}')
              for bad, why in IGNORED]
    wanted += [(bad, f"^cma: .*(?:{why})") for bad, why in NOT_PLACED]
    for bad, message in wanted:
        stage.boot(re.sub(r"\W", "_", bad), "virt", append=bad, mem="256M",
                   timeout_s=60, commands=["grep MemTotal /proc/meminfo"],
                   expect=[message])


def check_binding(stage, cases):
    """The binding takes what is right and no more."""
    binding = areas.Binding(BUILD / "linux")
    said = binding.faults_of_its_own()
    stage.result(not said, "the binding", said)
    with tempfile.TemporaryDirectory(prefix="cma-dtb-") as tmp:
        dtb = Path(tmp) / "example.dtb"
        binding.example(dtb)
        said = binding.faults(dtb)
        stage.result(not said, "the example of the binding", said)
        for case in cases:
            if case.refused is None:
                continue
            case.compile(dtb)
            said = binding.faults(dtb)
            stage.result(case.refused_by(said), f"{case.name}: the binding",
                         said or "it says nothing against it")


def stage_areas(stage):
    """Each form of an area, as board engineers write it, and each error. The
    examples of the manual are booted as they stand there."""
    selftests()
    manual = areas.manual_cases(REPO / areas.MANUAL_RST)
    check_binding(stage, areas.TREES + [areas.MANUAL_TREE])
    for case in areas.TREES + manual + areas.OTHERS:
        stage.boot(case.name, case.board, nodes=case.nodes,
                   overlays=case.overlays, append=case.append, mem=case.mem,
                   commands=case.commands, expect=case.expect,
                   want_tests=True, timeout_s=60)


def stage_bare(stage):
    for board in (n for n, b in boards.BOARDS.items() if b.kernel == "arm"):
        stage.boot(board, board, kernel_dir=kernel.obj("bare-arm"),
                   timeout_s=60,
                   commands=["grep MemTotal /proc/meminfo",
                             "! grep -E 'Cma|cma_alloc' "
                             "/proc/meminfo /proc/vmstat"])


def code(name):
    """Every function of vmlinux as instructions, without what the number of a
    source line or the place in memory decides: constants and addresses."""
    objdump = kernel.CROSS[kernel.KERNELS[name].arch] + "objdump"
    out = kernel.run([objdump, "-d", "--no-show-raw-insn",
                      kernel.obj(name) / "vmlinux"], capture_output=True)
    functions, body = [], None
    for line in out.stdout.splitlines():
        if m := re.match(r"[0-9a-f]+ <(.+)>:$", line):
            body = []
            functions.append((m[1], body))
        elif body is not None and (m := re.match(r" *[0-9a-f]+:\t(.*)$", line)):
            text = re.sub(r"[;@].*|\+0x[0-9a-f]+", "", m[1])
            text = re.sub(r"#?-?\b(?:0x[0-9a-f]+|[0-9a-f]{8}|\d+)\b", "N", text)
            body.append(text.replace("movw", "mov").strip())
    return functions


def section_sizes(name):
    size = kernel.CROSS[kernel.KERNELS[name].arch] + "size"
    out = kernel.run([size, "-A", kernel.obj(name) / "vmlinux"],
                     capture_output=True)
    return re.findall(r"^(\.\S+) +(\d+)", out.stdout, re.M)


def stage_identical(stage):
    """CONFIG_CMA=n leaves no trace."""
    bare, ours = code("bare-arm"), code("nocma-arm")
    differ = [name for (name, body), other in zip(bare, ours)
              if (name, body) != other]
    stage.result(bare and len(bare) == len(ours) and not differ,
                 "CONFIG_CMA=n is the code of bare",
                 f"{len(bare)} and {len(ours)} functions, different: {differ}")
    sizes = section_sizes("bare-arm"), section_sizes("nocma-arm")
    stage.result(sizes[0] and sizes[0] == sizes[1],
                 "CONFIG_CMA=n has the sizes of bare",
                 set(sizes[0]) ^ set(sizes[1]))


def stage_demo(stage):
    """The demonstration, as a newcomer runs it."""
    stage.run("demo", [HERE / "demo.py", "--no-build"])


def stage_bench(stage):
    """What needs no second kernel and repeats to the digit keeps its goals."""
    said = stage.run("bench", [HERE / "bench.py", "--only", "ours",
                               "--no-build", "--case", "free"])
    missed = [line for line in said.splitlines() if line.endswith("MISSED")]
    stage.result("goals hold" in said and not missed, "goals of a free area",
                 "\n".join(missed))


def stage_kasan(stage):
    """The pure parts under KASAN, in a kernel that is a program."""
    done = subprocess.run(
        [kernel.obj("kasan") / "linux", "mem=512M", "stderr=1",
         "printk.time=1", "loglevel=8", "panic=-1", "kunit.enable=1",
         "kunit.filter_glob=cma_*", "kunit_shutdown=halt"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.STDOUT, timeout=900, errors="replace")
    lines = done.stdout.splitlines()
    stage.log("kasan", done.stdout)
    judged = verdict.judge(lines + [verdict.DONE], True)
    stage.tests("kasan", judged.tests)
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
    "lpae": stage_lpae,
    "debug": stage_debug,
    "bare": stage_bare,
    "identical": stage_identical,
    "kasan": stage_kasan,
    "64-bit": stages_boards.stage_64_bit,
    "bare-64-bit": only_build,
    "boards": stages_boards.stage_boards,
    "boards-whole": stages_boards.stage_boards_whole,
}
# These change the kernel trees.
TREE_STAGES = ["tree", "series"]
KERNELS = {
    "build": ["arm"],
    "lpae": ["arm-lpae"],
    "debug": ["arm-debug"],
    "bare": ["bare-arm"],
    "identical": ["bare-arm", "nocma-arm"],
    "kasan": ["kasan"],
    "64-bit": ["arm64", "x86_64"],
    "bare-64-bit": ["bare-arm64", "bare-x86_64"],
    "boards": ["arm-boards", "armv5"],
    "boards-whole": ["arm-boards", "armv5", "arm64", "x86_64"],
}
# More than one wants to wait for with every change: "make check-boards".
ON_REQUEST = ["boards-whole"]


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
    LOGS.mkdir(parents=True, exist_ok=True)
    subprocess.run([HERE / "userland.sh"], check=True)
    stages = []
    builder = Builder()
    ahead = [k for name in opts.only for k in KERNELS.get(name, ())]
    for name in opts.only:
        print(f"=== {name}", flush=True)
        stage = Stage(name)
        stages.append(stage)
        if ahead and name not in TREE_STAGES:
            builder.build_ahead(ahead)
            ahead = []
        try:
            builder.build_for(stage, KERNELS.get(name, ()))
            STAGES[name](stage)
        except kernel.BuildError as err:
            stage.result(False, name, err)
        except Exception:
            stage.result(False, name, traceback.format_exc())
        print(f"=== {name}: {stage.passed} passed, {stage.failed} failed, "
              f"{stage.skipped} skipped, "
              f"{time.monotonic() - stage.start:.0f} s", flush=True)
    passed, failed, skipped = (sum(getattr(s, k) for s in stages)
                               for k in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
