#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Soak: everything at once for hours, every byte and every counter compared.

Boots the ARM board `virt` with four CPUs and 512 MiB, half of which is an area.
Programs run as in a build and compare their data, files are read and written,
data are swapped to zram, unmovable memory grows and shrinks, and pages are
pinned for a moment and for long. Drivers take and release buffers of 4 KiB to
16 MiB. All of it fits into memory and swap, so nothing may fail.

After each minute all of it pauses. The kernel's counters of free pages, and of
LRU pages in the area, must equal the lists of these pages. What sysfs and
debugfs say of the area must equal what the drivers have. The size of the cache
of freed buffers changes then.

    soak.py --hours 24
    soak.py --hours 0.17 --pages     the pages show what came of it
    soak.py --kernel DIR --no-build  with this kernel
    soak.py --break pipe             shows that a byte of this load is missed

The exit status is 0 if the log has no splat, no data were lost, counters equal
the lists, each load went on to the end, no program was killed, and no request
failed for which there was room. A guest that says nothing for some minutes
hangs. The console is in $BUILD/soak/console.log, the figures are in table.csv
beside it; those of an hour or more go to Documentation/mm/cma-soak.csv, too.

--break takes a load, or buffer, or held (one page is said to be a driver's that
is free). Such a run must fail.
"""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bench
import stress
from lab import boards, cli, kbuild
from measure import pages, report
from trees import bases

OUT = kbuild.BUILD / "soak"
PAGE = bases.REPO / pages.FOLDER / "cma-soak.csv"
SIZES_KIB = [4, 12, 64, 300, 1024, 2500, 4096, 16384]
MINUTES_AN_HOUR = 60
# A busy host may not let a CPU of the guest run for longer than RCU waits by default.
PATIENT = "rcupdate.rcu_cpu_stall_timeout=300"
APPEND = f"cma=256M {PATIENT}"
END_S = 600		# for all loads to compare their data at the end
QUIET_S = 900		# an interval takes some minutes on a busy host
IDLE = 10		# minutes until a load hangs that compares nothing
PAGES_A_GIB = 1 << 18

# guest/bench_soak.c compares the data of these loads, and these counters each time.
LOADS = {
    "program": "data of programs", "job": "memory and files of a build",
    "file": "a file that changes", "shmem": "a file in memory", "cache": "page cache and the disk",
    "pipe": "memory in pipes", "direct": "memory of direct I/O",
    "longterm": "memory pinned for long", "unmovable": "unmovable memory",
    "buffer": "buffers of drivers"}
COUNTERS = {
    ("nr_free_pages", "buddyinfo"), ("nr_free_cma", "pagetypeinfo"),
    ("nr_free_cma", "kpageflags"), ("nr_zone_cma_anon", "kpageflags"),
    ("nr_zone_cma_file", "kpageflags"), ("nr_zone_cma_unevictable", "kpageflags"),
    ("total_pages", "count"), ("available_pages", "drivers"),
    ("used", "drivers"), ("used", "bitmap")}

COUNTER = re.compile(r"bench: counter \S+ (\d+) (\S+) (\S+) (-?\d+) (-?\d+)$")
DATA = re.compile(r"bench: data \S+ (\S+) (\d+)$")
ENV = "SOAK_BREAK={} "


@dataclass
class Soak(stress.Side):
    """One run, from the lines of its console."""
    counters: dict[int, set[tuple[str, str]]] = field(default_factory=dict)
    nr_compared: int = 0
    nr_differ: int = 0
    data: dict[str, int] = field(default_factory=dict)
    idle: dict[str, int] = field(default_factory=dict)

    def line(self, line: str) -> None:
        """Takes in a line; prints one for each minute, and what is wrong."""
        known = len(self.problems)
        text = boards.verdict.TIMESTAMP.sub("", line)
        if m := COUNTER.match(text):
            self.counter(int(m[1]), (m[2], m[3]), int(m[4]), int(m[5]))
        elif m := DATA.match(text):
            self.compared(m[1], int(m[2]))
        else:
            super().line(line)
        for problem in self.problems[known:]:
            print(f"  FAILED {problem}", flush=True)

    def counter(self, minute: int, name: tuple[str, str], value: int, counted: int) -> None:
        self.counters.setdefault(minute, set()).add(name)
        self.nr_compared += 1
        if value < 0 or value != counted:
            self.nr_differ += 1
            self.problems.append(f"minute {minute}: {name[0]} is {value}, "
                                 f"{name[1]} says {counted}")

    def compared(self, name: str, nr_pages: int) -> None:
        """A load that compares nothing for long hangs."""
        self.idle[name] = 0 if nr_pages > self.data.get(name, 0) else self.idle.get(name, 0) + 1
        self.data[name] = nr_pages
        if self.idle[name] == IDLE:
            self.problems.append(f"{name} compared nothing in {IDLE} minutes")

    def gib(self) -> float:
        return sum(self.data.values()) / PAGES_A_GIB

    def text(self) -> str:
        differ = f"{self.nr_differ} of {self.nr_compared} counters differ"
        return f"{super().text()}; {self.gib():.1f} GiB compared; {differ}"

    def judge(self, result: boards.Result, minutes: int) -> None:
        super().judge(result, minutes)
        # Once more when everything has come to its end.
        for minute in range(1, minutes + 2):
            missing = COUNTERS - self.counters.get(minute, set())
            if missing:
                self.problems.append(f"minute {minute}: {len(missing)} counters were not compared")
        self.problems += [f"no data were compared: {what}" for name, what in LOADS.items()
                          if not self.data.get(name)]

    def figures(self) -> list[list[str]]:
        """The table: words and a figure in each line. Times are not among them, as
        they depend on what else the host does."""
        rows = [
            ("minutes", self.minutes),
            ("counters compared with the pages that they count", self.nr_compared),
            ("of these, not equal", self.nr_differ),
            ("requests of drivers", self.requests), ("of these, failed", self.failed)]
        return [[words, str(figure)] for words, figure in rows] + [
            [f"GiB compared: {what}", report.number(
                self.data[name] / PAGES_A_GIB if name in self.data else None)]
            for name, what in LOADS.items()]


def write_csv(rows: Sequence[Sequence[str]], kernel: str, path: Path) -> None:
    """Takes the place of what @path has of the same kernel, 'Linux 6.12.117'."""
    def key(name: str) -> str:
        return bases.series(name.removeprefix("Linux "))

    head, *lines = report.read_csv(path) or [[""]]
    known = {name: {line[0]: line[i] for line in lines}
             for i, name in enumerate(head) if i and key(name) != key(kernel)}
    known[kernel] = {words: figure for words, figure in rows}
    kernels = sorted(known, key=lambda name: bases.number(key(name)))
    path.write_text(report.as_csv([["", *kernels]] + [
        [words, *(known[name].get(words, "") for name in kernels)] for words, _ in rows]))


def command(minutes: int, broken: str | None) -> str:
    """What the guest runs."""
    sizes = " ".join(map(str, SIZES_KIB))
    return f"{ENV.format(broken) if broken else ''}/bench soak soak:{minutes} 1 {sizes}"


def run(kernel_dir: Path, minutes: int, broken: str | None, program: bytes) -> Soak:
    soak = Soak("ours")
    result = boards.boot(
        "virt", kernel_dir, append=APPEND, mem="512M", disk=True, smp=4,
        timeout_s=stress.BOOT_S + END_S + stress.SLOW * 60 * minutes, quiet_s=QUIET_S,
        on_line=soak.line, commands=[command(minutes, broken)], files={"/bench": program},
        log=OUT / "console.log")
    soak.judge(result, minutes)
    return soak


def minutes_of(hours: str) -> int:
    """An hour may have a fraction; a minute may not."""
    return max(1, round(float(hours) * MINUTES_AN_HOUR))


def add_hours(parser: argparse.ArgumentParser) -> None:
    """--hours, which becomes opts.minutes."""
    parser.add_argument("--hours", type=minutes_of, default=MINUTES_AN_HOUR, metavar="N",
                        dest="minutes", help="1 unless told; 0.17 are ten minutes")


def main() -> int:
    parser = cli.parser(__doc__, builds=True)
    add_hours(parser)
    parser.add_argument("--pages", action="store_true",
                        help="write figures of less than an hour to the page, too")
    parser.add_argument("--kernel", metavar="DIR", help="object folder")
    parser.add_argument("--break", choices=[*LOADS, "held"], dest="broken",
                        help="spoil this, so that the run must fail")
    opts = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    kernel_dir = Path(opts.kernel) if opts.kernel else kbuild.obj(bench.KERNELS["ours"])
    if not opts.no_build:
        bench.build(["ours"])
    program = kbuild.guest_program("bench")
    soak = run(kernel_dir, opts.minutes, opts.broken, program)
    print()
    rows = soak.figures()
    for words, figure in rows:
        print(f"{words:50}{figure:>10}")
    for line in soak.messages[:stress.SHOWN]:
        print(f"    {line}")
    for problem in soak.problems:
        print(f"FAILED {problem}")
    write_csv(rows, pages.kernel_of(kernel_dir), OUT / "table.csv")
    if not soak.problems and (opts.pages or opts.minutes >= MINUTES_AN_HOUR):
        write_csv(rows, pages.kernel_of(kernel_dir), PAGE)
    return 1 if soak.problems else 0


if __name__ == "__main__":
    cli.run(main)
