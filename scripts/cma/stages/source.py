# SPDX-License-Identifier: GPL-2.0
"""Stages that need no board: the trees, the scripts' own tests, style, warnings."""

import re
import sys
from pathlib import Path

from lab import children, kbuild
from stages.stage import BUILD, HERE, LOGS, TOP, Stage, side_by_side, stage
from trees import bases, overlay

REPO = kbuild.REPO

# Ours, as far as a compiler or kernel-doc reads it.
LINT_DMA = [f"drivers/base/dma-{name}.o" for name in (
    "contiguous", "areas", "areas-list", "areas-reach", "areas-request",
    "areas-show", "areas-default", "areas-declare", "areas-board",
    "areas-claims", "areas-cmdline")]
LINT_TARGETS = {
    "lint-arm": ["mm/contig/", "mm/cma/", "samples/cma/", *LINT_DMA,
                 "drivers/base/dma-areas-of.o",
                 *(f"arch/arm/mm/dma-{name}.o" for name in (
                     "contiguous", "buffers", "entries", "map"))],
    "lint-x86_64": ["mm/contig/", "mm/cma/", *LINT_DMA],
    # With all who take ranges of pages, and no area.
    "nocma-x86_64": ["mm/contig/"],
}
OUR_CODE = ["mm/contig/", "mm/cma/", "samples/cma/",
            "drivers/base/dma-contiguous.c", "drivers/base/dma-areas",
            "arch/arm/mm/dma-", "include/linux/cma.h",
            "include/linux/dma-contiguous.h",
            "include/trace/events/cma.h", "include/trace/events/contig.h",
            "tools/testing/selftests/cma/"]

# Remarks of checkpatch without reason: start of the path, types.
ALLOWED = [
    # The macros of trace events are a language of their own.
    ("include/trace/", {"COMPLEX_MACRO", "MACRO_ARG_UNUSED", "OPEN_ENDED_LINE",
                        "PARENTHESIS_ALIGNMENT", "TRAILING_SEMICOLON"}),
    # A macro fills a table: [reason] = name, behind a space.
    ("mm/contig/describe.c", {"BRACKET_SPACE"}),
    # cma_for_each_area() is a function, __ClearPageReserved() the kernel's.
    ("mm/cma/area.c", {"OPEN_BRACE"}),
    ("mm/cma/lend.c", {"CAMELCASE"}),
    # That test is about mappings that kmap() leaves behind.
    ("mm/cma/tests/mapping_kunit.c", {"DEPRECATED_API"}),
    # Not every 6.12 has <linux/pgalloc.h>.
    ("arch/arm/mm/dma-map.c", {"INCLUDE_LINUX"}),
    # Linux 6.12 has no kzalloc_obj().
    ("", {"ALLOC_WITH_SIZEOF"}),
    # A device of the tests' own device trees, which no board has.
    ("mm/cma/tests/dma_test.c", {"UNDOCUMENTED_DT_STRING"}),
    # Documented in an edit of kernel-parameters.txt, which is no whole file.
    ("mm/contig/inject.c", {"UNDOCUMENTED_SETUP"}),
    # Which of two sizes counts takes no four lines to explain. It reads
    # Kconfig.nodes, whose name begins with its own.
    ("mm/cma/Kconfig", {"CONFIG_DESCRIPTION", "EMBEDDED_FILENAME"}),
    # User space has neither BIT_ULL() nor strscpy(), and a pointer to
    # FIXTURE_DATA(x) is no product.
    ("tools/testing/selftests/", {"BIT_MACRO", "SPACING", "STRCPY"}),
    # User space has no __printf() but its own.
    ("tools/mm/cmastat", {"PREFER_DEFINED_ATTRIBUTE_MACRO"}),
    # Programs of a guest have the types of user space, and the demonstration
    # explains itself in sentences.
    ("scripts/cma/guest/", {"PREFER_KERNEL_TYPES", "PREFER_DEFINED_ATTRIBUTE_MACRO",
                            "EMBEDDED_FUNCTION_NAME", "SPLIT_STRING"}),
    # MAINTAINERS has an entry, in another patch of the series; that it is
    # complete is a test of the stage host.
    ("", {"FILE_PATH_CHANGES"}),
]
CHECKPATCH = ["scripts/checkpatch.pl", "--strict", "--terse", "--show-types",
              "--no-summary"]
# Lines that a patch of the series adds, at most.
MAX_ADDED = 900
# Words, and parts of such in patterns.
NO_TYPO = "faile,filp,inflight,nd"
SHELL = re.compile(rb"#!/bin/(?:busybox )?sh\b")
# BusyBox has ${line:0:900}; the kernel hands parameters down as environment.
NOT_DASH = "SC3057,SC2154"


def overlay_files(*starts: str) -> list[str]:
    """The repository's files that go into a folder of the kernel tree, whole."""
    files = overlay.Overlay(REPO, TOP, bases.VERSION).files
    return [name for path, (name, edit) in files.items() if not edit and "/" in name
            and (not starts or path.startswith(starts))]


def own_files() -> list[str]:
    """The scripts, and all that belongs to them."""
    lists = REPO.glob(f"{bases.VERSIONS}/*/{overlay.ABSENT}")
    return [".ci/run", *(str(path.relative_to(REPO)) for path in sorted(
        [*HERE.rglob("*"), *lists]) if path.is_file() and "__pycache__" not in path.parts)]


def allowed(name: str, line: str) -> bool:
    """True if this remark of checkpatch's is in ALLOWED."""
    name = name.removeprefix(overlay.folder_of(bases.VERSION))
    said = re.search(r": (?:ERROR|WARNING|CHECK):(\w+): ", line)
    return bool(said) and any(name.startswith(start) and said[1] in types
                        for start, types in ALLOWED)


@stage("tree", changes_trees=True)
def tree(stage: Stage) -> None:
    """What is tested is what the repository says."""
    stage.run("tree", [HERE / "tree.py", "tree"])


@stage("series", changes_trees=True)
def series(stage: Stage) -> None:
    """The patch series is generated and gives the tree back."""
    stage.run("series", [HERE / "tree.py", "series"])
    for patch in sorted((BUILD / "patches").glob("*.patch")):
        added = len(re.findall(r"^\+(?!\+\+ )", patch.read_text(), re.M))
        stage.result(added <= MAX_ADDED, f"{patch.name} can be reviewed",
                     f"it adds {added} lines, {MAX_ADDED} at most expected")


@stage("host")
def host(stage: Stage) -> None:
    """unittest: the trees, the tools, the verdict."""
    done = children.capture([sys.executable, "-B", "-m", "unittest", "discover",
                             "-v", "-t", HERE, "-s", HERE / "tests"])
    stage.log("unittest", done.stdout)
    judge_unittest(stage, done.stdout, done.returncode)


def judge_unittest(stage: Stage, said: str, status: int) -> None:
    """What does not pass is named; nothing has a reason to skip."""
    ran = re.search(r"^Ran (\d+) tests?", said, re.M)
    bad = re.findall(r"^(?:FAIL|ERROR): (.*)$", said, re.M)
    bad += re.findall(r"^(.*) \.\.\. (?:skipped|unexpected success)\b", said, re.M)
    for name in bad:
        stage.result(False, name)
    counts = dict(re.findall(r"([a-z][a-z ]*)=(\d+)", said.strip().rpartition("\n")[2]))
    counts.pop("expected failures", None)
    nr_bad = sum(map(int, counts.values()))
    if not ran or nr_bad > len(bad) or (status and not nr_bad):
        stage.result(False, "unittest", said[-2000:])
    stage.passed += max(int(ran[1]) - nr_bad, 0) if ran else 0


@stage("style")
def style(stage: Stage) -> None:
    """checkpatch, kernel-doc and codespell on each file, and the tools for the
    scripts on these; checkpatch on each patch for what is not in the files: edits,
    messages."""
    files, scripts = overlay_files(), own_files()
    guest = [f for f in scripts if f.endswith((".c", ".h"))]
    code = [f for f in overlay_files(*OUR_CODE) if f.endswith((".c", ".h"))]
    python = [f for f in scripts if f.endswith(".py")]
    shell = [f for f in scripts if SHELL.match((REPO / f).read_bytes())]
    patches = sorted((BUILD / "patches").glob("*.patch"))
    stage.result(bool(patches), "patches to check", "none; the stage series makes them")
    tools: list[tuple[str, list[str], list[str | Path]]] = [
        ("checkpatch", files + guest, [*CHECKPATCH, "--file"]),
        ("kernel-doc", code, ["scripts/kernel-doc", "-none", "-Wall"]),
        ("codespell", files + scripts, ["codespell", "-L", NO_TYPO]),
        ("pyflakes", python, ["pyflakes3"]),
        ("mypy", python, ["mypy", "--no-error-summary", "--cache-dir", TOP / "mypy",
                          "--config-file", HERE / "mypy.ini"]),
        ("shellcheck", shell, ["shellcheck", "-s", "dash", "-S", "warning",
                               "-f", "gcc", "-e", NOT_DASH])]
    # The one that takes longest first, and the others meanwhile.
    outputs = side_by_side(lambda job: stage.output(*job), [
        *((tool, cmd + [REPO / n for n in names]) for tool, names, cmd in tools),
        *((patch.name, [*CHECKPATCH, "--showfile", patch]) for patch in patches)])
    for (tool, names, _), output in zip(tools, outputs):
        said: dict[str, list[str]] = {name: [] for name in names}
        for line in output:
            line = line.removeprefix(f"{REPO}/")
            name = line.split(":")[0]
            if not allowed(name, line):
                said.setdefault(name, []).append(line)
        for name, lines in said.items():
            stage.result(not lines, f"{tool} {name}", lines)
    for patch, output in zip(patches, outputs[len(tools):]):
        lines = [line for line in output if line.split(":")[0] not in files
                 and not allowed(line.split(":")[0], line)]
        stage.result(not lines, f"checkpatch {patch.name}", lines)


# Linux 7.3 refuses a sparse that does not know this operator, as Debian 12's.
SPARSE = "CHECK=sparse -D__typeof_unqual__=__typeof__"
# It does not compute __builtin_strlen() either, which MODULE_INFO() asserts there.
CONSTANT = re.compile(r"(\S+):(\d+):\d+: error: bad constant expression$")


def about_module_info(line: str) -> bool:
    """True if this is only what sparse says of MODULE_LICENSE() and its kind."""
    found = CONSTANT.match(line)
    if not found:
        return False
    code = Path(found[1]).read_text().splitlines()[int(found[2]) - 1]
    return bool(re.match(r"MODULE_|module_param|core_param|early_param", code))


@stage("lint")
def lint(stage: Stage) -> None:
    """W=1 and sparse, on what is ours."""
    for name, targets in LINT_TARGETS.items():
        src = kbuild.configure(name)
        here = [t for t in targets if (src / re.sub(r"\.o$", ".c", t)).exists()]
        if not here:
            stage.result(False, f"{name}: nothing of ours in {src}")
            continue
        lines, _, _ = kbuild.make(name, ["W=1", "C=2", SPARSE] + here, src,
                                  LOGS / f"lint-{name}.log")
        checked = sum(l.startswith("  CHECK ") for l in lines)
        bad = [l for l in lines if re.search(r"\b(?:warning|error):", l)
               and any(p in l for p in OUR_CODE) and not about_module_info(l)]
        stage.result(checked and here == targets and not bad,
                     f"{name}: {checked} files, missing "
                     f"{set(targets) - set(here) or 'none'}", bad)
