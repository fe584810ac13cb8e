#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Measures this allocator beside mainline's: make bench.

Builds two kernels from the same base with the same configuration, boots the
ARM board `virt` with each of them for every group of cases, and prints one
table. What is measured is in measure/cases.py. Figures are thousands of
instructions. Those of cases without a disk are the same in every run; with
one, medians vary by some percent, and the worst of a few requests says little.

    bench.py                     everything
    bench.py --case free,swap    some cases
    bench.py --case swap --pages the same, and the pages show what came of it
    bench.py --only ours         one kernel
    bench.py --list
    bench.py --placement         what an area of half of memory does to all others;
                                 takes longer, and is no part of the others
    bench.py --placement steps --only ours --kernel DIR --no-build
                                 one of its loads on one kernel
    bench.py --hot               what page allocations and page faults cost beside a
                                 kernel without an allocator; also no part of the others

BASE=newest takes the newest Linux that Debian has instead of 6.12, and
$BUILD/newest/ instead of $BUILD/. Results: $BUILD/bench/{table.txt,table.csv,
samples.csv,*.svg} and the console logs; and, of a whole run, the figures of that
Linux in README.md and Documentation/mm, see measure/pages.py. The exit status is
0 if every case gave figures; whether a goal holds is in the table.
"""

import os
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import boards, children, cli, kbuild
from measure import cases, figures, hot, pages, placement, report
from trees import bases

HERE = Path(__file__).resolve().parent
OUT = kbuild.BUILD / "bench"
KERNELS = {"mainline": "base-arm", "ours": "arm"}
KILLED = "Out of memory: Killed"	# the kernel says so of a program
# Mainline does not have them. They declare areas, add a mode or test; a sample of ours
# is the only one.
OURS = {"CMA_GUARANTEED", "CMA_KUNIT_TEST", "CMA_TEST_DRIVER", "CMA_CMDLINE_AREAS",
        "CMA_OF_AREAS", "SAMPLES", "SAMPLE_CMA_BOARD"}
# A kernel without an allocator has none of these.
ALLOCATOR = {"CMA", "CMA_AREAS", "CMA_DEBUGFS", "CMA_SYSFS", "CMA_ALIGNMENT", "DMA_CMA",
             "CMA_SIZE_MBYTES", "CMA_SIZE_SEL_MBYTES", "CONTIG_ALLOC", "DMABUF_HEAPS_CMA",
             "MEMORY_ISOLATION"}


def build(sides: Collection[str] = KERNELS, kernels: Mapping[str, str] = KERNELS) -> None:
    """What the boots of these need."""
    if children.run([HERE / "tree.py", "tree"]).returncode:
        raise kbuild.BuildError("tree.py failed")
    kbuild.userland()
    for side in sides:
        kbuild.build(kernels[side])
    if len(sides) == len(kernels):
        check_configs(kernels)


def check_configs(kernels: Mapping[str, str]) -> None:
    """The kernels must differ in the allocator and in nothing else."""
    configs = {side: kbuild.settings((kbuild.obj(name) / ".config").read_text())
               for side, name in kernels.items()}
    for side, config in configs.items():
        may_differ = OURS | ALLOCATOR if side == "none" else OURS
        differ = [f"{name}={value}" for name, value in configs["ours"].items() ^ config.items()
                  if name.removeprefix("CONFIG_") not in may_differ]
        if differ:
            raise kbuild.BuildError("the kernels are not configured alike: "
                                    + ", ".join(sorted(differ)))


@dataclass
class Run:
    """One boot. key: whose figures it gives. label: in the lines that have them.
    options: of boards.boot(). files: of the guest, beside the program. lines: of the
    console, without time stamps. problems: what was wrong."""
    title: str
    key: Any
    label: str
    kernel_dir: Path
    options: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list, init=False)
    lines: list[str] = field(default_factory=list, init=False)

    def run(self, program: bytes) -> None:
        log = re.sub(r"\W+", "-", self.title) + ".log"
        result = boards.boot("virt", self.kernel_dir, files={"/bench": program, **self.files},
                             log=OUT / log, **self.options)
        self.lines = [boards.verdict.TIMESTAMP.sub("", line) for line in result.lines]
        self.problems = result.problems
        print(f"  {self.title}: {result.elapsed_s:.0f} s", flush=True)


def run_all(runs: Sequence[Run], program: bytes) -> None:
    """Runs those that count instructions first, two at a time, then the others alone."""
    print(f"{len(runs)} boots", flush=True)
    with ThreadPoolExecutor(min(2, os.cpu_count())) as pool:
        list(pool.map(lambda r: r.run(program), [r for r in runs if r.options["icount"]]))
    for r in runs:
        if not r.options["icount"]:
            r.run(program)


def publish(text: Iterable[str], problems: Iterable[str], name: str) -> None:
    """Prints a table and what went wrong, and writes both."""
    text = [*text, *(f"FAILED {p}" for p in problems)]
    (OUT / name).write_text("\n".join(text) + "\n")
    print("\n".join(["", *text]))


def wanted_in(boot: str, wanted: Collection[str]) -> list[cases.Case]:
    return [c for c in cases.BOOTS[boot].cases if c.name in wanted]


def case_run(side: str, name: str, wanted: Collection[str], kernel_dir: Path) -> Run:
    """One boot of one kernel, with the cases in it that are wanted."""
    row = cases.BOOTS[name]
    return Run(f"{name}, {side}", (side, name), "", kernel_dir, {
        "append": row.append, "mem": row.mem, "disk": row.disk, "timeout_s": row.timeout_s,
        "smp": row.smp, "icount": not row.smp,
        "commands": [c.command for c in wanted_in(name, wanted)]})


def is_whole(sides: Mapping[str, figures.Results], wanted: Collection[str]) -> bool:
    """Whether both kernels did all there is to do in the cases @wanted."""
    return len(sides) == len(KERNELS) and not any(
        results.lacking(case) for results in sides.values()
        for case in cases.all_cases() if case.name in wanted)


def collect(runs: Iterable[Run], wanted: Collection[str]
            ) -> tuple[dict[str, figures.Results], list[str], list[str]]:
    """Results of each kernel, what went wrong, and what mainline did to programs, one
    line each."""
    sides: dict[str, figures.Results] = {}
    problems: list[str] = []
    notes: list[str] = []
    for r in runs:
        side, name = r.key
        results = sides.setdefault(side, figures.Results())
        known = len(results.bad)
        results.read(r.lines)
        problems += [f"{case}, {side}: {why}" for case, why in results.bad[known:]]
        # A program that mainline kills is a figure, not a failure.
        killed = side == "mainline" and any(KILLED in p for p in r.problems)
        (notes if killed else problems).extend(f"{r.title}: {p}" for p in r.problems)
        for case in wanted_in(name, wanted):
            problems += [f"{case.name}, {side}: no figure for {report.size_text(kib)}"
                         for kib in results.lacking(case)]
            # For mainline this is a figure, not a failure.
            for kib in case.sizes if side == "ours" else ():
                nr = results.figure(case.name, kib, "avoidable")
                if nr:
                    problems.append(f"{case.name}, ours: {nr} requests for "
                                    f"{report.size_text(kib)} failed that "
                                    "there was room for")
    return sides, problems, notes


def to_pages(rows: Sequence[figures.Row], wanted: Collection[str], peer: str) -> None:
    """What the run gave for the cases @wanted, beside what pages have of others."""
    new = pages.of_rows(rows, peer)
    if bases.series(new.kernel) not in pages.KERNELS:
        raise kbuild.BuildError(f"no page has figures of {peer}, only of Linux "
                                + " and ".join(pages.KERNELS))
    known = pages.of_page(bases.series(new.kernel))
    others = {row["case"] for row in known.rows} - set(wanted)
    if others and known.peer != peer:
        raise kbuild.BuildError(f"the pages have figures of {known.peer}; those of {peer} "
                                "want a run of all cases")
    pages.write(pages.merged(known, new))


def show(wanted: Collection[str], sides: dict[str, figures.Results],
         problems: list[str], notes: Sequence[str], elapsed_s: float
         ) -> list[figures.Row]:
    """Prints the table and writes it; its rows."""
    chosen = [c for c in cases.all_cases() if c.name in wanted]
    rows = figures.rows(chosen, cases.GOALS, sides.get("mainline"), sides.get("ours"))
    text = ["Thousands of instructions a call; ratio is ours / mainline.", ""]
    text += report.table(rows)
    problems += report.write_plots(rows, OUT)
    kept = [r.holds for r in rows if r.holds is not None]
    text += ["", f"{sum(kept)} of {len(kept)} goals hold, "
             f"{len(rows)} figures, {elapsed_s:.0f} s", *notes]
    publish(text, problems, "table.txt")
    report.write_csv(rows, OUT / "table.csv")
    report.write_samples(sides, OUT / "samples.csv")
    return rows


def values_of(runs: Iterable[Run]) -> tuple[dict[Any, placement.Values], list[str]]:
    """The figures by the keys of runs, and what went wrong, one line each."""
    found: dict[Any, placement.Values] = {}
    problems = []
    for r in runs:
        values = found.setdefault(r.key, placement.Values())
        known = len(values.bad)
        values.read(r.lines, r.label)
        problems += [f"{r.title}: {why}" for why in [*values.bad[known:], *r.problems]]
    return found, problems


def run_placement(loads: Sequence[placement.Load], columns: Collection[str], nr_seeds: int,
                  folders: Mapping[str, Path], program: bytes, to_page: bool) -> bool:
    """Boots, prints the table and writes it. Returns whether every load gave figures.
    to_page: the page has it, too, beside what it has of other loads."""
    runs = [Run(f"placement {load.name}, {column}, seed {seed}", (load.name, column),
                load.name, folders[placement.COLUMNS[column][0]], {
                    "append": placement.COLUMNS[column][1], "mem": placement.MEM,
                    "disk": load.disk, "timeout_s": placement.TIMEOUT_S, "icount": True,
                    "commands": load.commands(seed), "may_say": placement.MAY_SAY})
            for load in loads for column in columns
            for seed in range(1, (nr_seeds or load.seeds if load.seeds > 1 else 1) + 1)]
    run_all(runs, program)
    found, problems = values_of(runs)
    lines = placement.rows(loads, found)
    publish([*placement.table(loads, lines), ""], problems, "placement.txt")
    if "mainline" in columns:
        peer = pages.kernel_of(folders["mainline"])
        placement.write_csv(lines, peer, OUT / "placement.csv")
        page = bases.REPO / pages.csv_file("placement", peer)
        if to_page:
            placement.write_csv(placement.merged(report.read_csv(page), lines), peer, page)
    return not problems


def run_hot(program: bytes) -> bool:
    """Boots, prints the table, and writes it to its page if it is whole. Returns
    whether it is."""
    modules = {side: kbuild.guest_module(hot.MODULE, name)
               for side, name in hot.KERNELS.items()}
    runs = [Run(f"hot, {column.name()}", column, hot.LABEL,
                kbuild.obj(hot.KERNELS[column.side]), {
                    "append": column.append, "mem": placement.MEM, "timeout_s": hot.TIMEOUT_S,
                    "icount": True, "commands": hot.COMMANDS},
                {f"/{hot.MODULE}.ko": modules[column.side]})
            for column in [hot.BASE, *hot.COLUMNS]]
    run_all(runs, program)
    found, problems = values_of(runs)
    problems += hot.missing(found)
    peer = pages.kernel_of(kbuild.obj(hot.KERNELS["mainline"]))
    lines = hot.rows(found, peer)
    publish([*report.aligned(lines, {0}), "", *(f"MISSED {m}" for m in hot.missed(found))],
            problems, "hot.txt")
    if not problems:
        (bases.REPO / pages.csv_file("hot", peer)).write_text(report.as_csv(lines))
    return not problems


def main() -> int:
    names = [c.name for c in cases.all_cases()]
    parser = cli.parser(__doc__, builds=True)
    parser.add_argument("--case", metavar="NAME[,NAME]", help="these only; see --list")
    parser.add_argument("--pages", action="store_true",
                        help="write figures of some cases to the pages, too")
    parser.add_argument("--only", choices=KERNELS, help="one of the kernels")
    parser.add_argument("--kernel", metavar="DIR", help="object folder to take for ours")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--placement", nargs="?", const="", metavar="LOAD[,LOAD]",
                        help="what an area does to all others; all loads unless told")
    parser.add_argument("--seeds", type=int, default=0, metavar="N",
                        help="runs of a load that tips over (default 5)")
    parser.add_argument("--hot", action="store_true",
                        help="what page allocations cost beside no allocator")
    opts = parser.parse_args()
    if opts.hot and (opts.case or opts.only or opts.kernel or opts.placement is not None):
        parser.error("--hot is for all its kernels as they are built here")
    if opts.list:
        for case in cases.all_cases():
            print(f"{case.name:14}{case.what}: "
                  + ", ".join(map(report.size_text, case.sizes)))
        for load in placement.LOADS:
            print(f"--placement {load.name:16}{load.what}")
        return 0
    try:
        loads = placement.chosen(opts.placement or "")
    except ValueError as err:
        parser.error(str(err))
    wanted = set(opts.case.split(",")) if opts.case else set(names)
    if wanted - set(names):
        parser.error(f"unknown case {', '.join(sorted(wanted - set(names)))}, "
                     "try --list")
    if opts.pages and (opts.only or opts.kernel):
        parser.error("--pages is for both kernels as they are built here")
    if any(name.startswith("threads-") for name in wanted):
        wanted.add("threads-1")		# what the others are compared with
    if "build" in wanted:
        wanted.add("build-none")
    start = time.monotonic()
    OUT.mkdir(parents=True, exist_ok=True)
    folders = {side: kbuild.obj(name) for side, name in KERNELS.items()}
    if opts.kernel:
        folders["ours"] = Path(opts.kernel)
    if not opts.no_build:
        kernels = hot.KERNELS if opts.hot else KERNELS
        build(kernels, kernels)
    program = kbuild.guest_program("bench")
    if opts.hot:
        return 0 if run_hot(program) else 1
    if opts.placement is not None:
        columns = [opts.only] if opts.only else [*placement.COLUMNS]
        to_page = opts.pages or not (opts.placement or opts.only or opts.kernel)
        return 0 if run_placement(loads, columns, opts.seeds, folders, program,
                                  to_page) else 1
    runs = [case_run(side, name, wanted, folder) for name in cases.BOOTS
            for side, folder in folders.items()
            if opts.only in (None, side) and wanted_in(name, wanted)]
    run_all(runs, program)
    sides, problems, notes = collect(runs, wanted)
    rows = show(wanted, sides, problems, notes, time.monotonic() - start)
    if (opts.pages or not opts.case) and not opts.kernel and is_whole(sides, wanted):
        to_pages(rows, wanted, pages.kernel_of(folders["mainline"]))
    return 1 if problems else 0


if __name__ == "__main__":
    cli.run(main)
