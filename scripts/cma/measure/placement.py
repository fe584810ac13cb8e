# SPDX-License-Identifier: GPL-2.0
"""What an area of half of memory does to all others: bench.py --placement.

Owns the table of these loads, with the goal of each figure. Each load runs on
three boards that differ in nothing else: without an area, with an area of the
kernel's own allocator, and with an area of this one. The goal is what the board
without an area does, or nearly so. What a load does is in guest/bench_grow.c,
bench_large.c and bench_beside.c.
"""

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from measure import report

LINE = re.compile(r"bench: (?:place (\S+) (\S+) (\d+)|bad (\S+) (.*))$")

AREA, NO_AREA = "cma=256M", "cma=0"
# Column: the kernel, as bench.py names it, and its parameters.
COLUMNS = {"none": ("ours", NO_AREA), "mainline": ("mainline", AREA), "ours": ("ours", AREA)}
MEM = "512M"
TIMEOUT_S = 1200
DRIVER = "modprobe dma_test"
# The OOM killer, and an allocation that fails, are figures here.
MAY_SAY = ("Out of memory: ", "oom-kill", "page allocation failure", "invoked oom-killer",
           "Call trace:", "Kernel panic")

MIB = 1024
SWAP = 512 * MIB


@dataclass(frozen=True)
class Figure:
    """name: that the guest gives it, or one of derived(). scale: what a unit of the
    table is in units of the guest. goal: None if there is none. beside: the goal is
    so many times what the board without an area has."""
    name: str
    unit: str
    goal: float | None = None
    more: bool = False
    scale: float = 1
    beside: float | None = None

    def goal_beside(self, none: Sequence[float]) -> float | None:
        if self.beside is None:
            return self.goal
        return self.beside * statistics.median(none) if none else None

    def holds(self, values: Sequence[float], goal: float | None) -> bool | None:
        """Whether the median keeps @goal; None without a goal."""
        if goal is None:
            return None
        if not values:
            return False
        middle = statistics.median(values)
        return middle >= goal if self.more else middle <= goal


@dataclass(frozen=True)
class Load:
    """kind: of guest/bench.c. sizes: KiB, what they are is up to the kind.
    seeds: how many runs; more than one where the load tips over. driver: it takes
    buffers. disk: it has files."""
    name: str
    what: str
    kind: str
    sizes: Sequence[int]
    figures: Sequence[Figure]
    seeds: int = 1
    driver: bool = False
    disk: bool = False

    def commands(self, seed: int) -> list[str]:
        sizes = " ".join(map(str, self.sizes))
        command = f"/bench {self.name} {self.kind}:{seed} 1 {sizes}"
        return [DRIVER, command] if self.driver else [command]


def ms(goal: float | None, name: str = "ns", unit: str = "ms") -> Figure:
    return Figure(name, unit, goal, scale=1e6)


def mib(goal: float) -> Figure:
    return Figure("mib", "MiB", goal, more=True)


SWAPPED = Figure("pswpout", "pages swapped out", 0)
KILLED = Figure("killed", "programs killed", 0)

STALLS = Figure("stalls", "requests that reclaimed", 100)
KILL = ms(None, "kill_ns", "ms from there until a program is killed")

STEPS = Figure("ns", "ms", scale=1e6, beside=1.1)
SWAPPED_OUT = Figure("pswpout", "pages swapped out")
BIG = [Figure("ns", "ms", scale=1e6), Figure("mib", "MiB"),
       Figure("alive", "alive", 1, more=True)]
CAMERA = [Figure("ns", "s", scale=1e9, beside=1.02),
          ms(1.4, "request_p50", "request median, ms"),
          ms(10, "request_worst", "request worst, ms"),
          ms(10, "request_own", "request worst, ms of its own on the CPU"),
          Figure("requests_failed", "requests that failed", 0), SWAPPED_OUT]

LOADS = [
    Load("steps", "220 MiB in use, 170 MiB of unmovable memory come in steps; zram swap",
         "grow", [SWAP, 220 * MIB, 170 * MIB, 0], [STEPS, SWAPPED, mib(170), KILLED]),
    Load("steps-no-swap", "the same without swap",
         "grow", [0, 220 * MIB, 170 * MIB, 0], [STEPS, mib(170), KILLED]),
    Load("until", "unmovable memory until there is no more, or 250 MiB, with 200 MiB in use; "
         "zram swap", "grow", [SWAP, 200 * MIB, 250 * MIB, 0],
         [mib(220), SWAPPED,
          Figure("per_mib", "thousand instructions a MiB", scale=1e3, beside=1.5),
          STALLS, KILL]),
    Load("until-no-swap", "the same without swap",
         "grow", [0, 200 * MIB, 250 * MIB, 0], [mib(220), STALLS, KILL]),
    Load("until-cache", "the same with 230 MiB of page cache instead, which fit into the "
         "area beside 16 MiB of the initial RAM disk",
         "grow", [0, 0, 250 * MIB, 230 * MIB],
         [mib(220), Figure("steal", "pages reclaimed", 0)], disk=True),
    Load("until-more-cache", "the same with 240 MiB of page cache, which do not",
         "grow", [0, 0, 250 * MIB, 240 * MIB],
         [mib(220), Figure("steal", "pages reclaimed")], disk=True),
    Load("idle", "30 s idle, unmovable memory outside of the area to below the low "
         "watermark, 180 MiB of programs in the area; zram swap",
         "idle", [SWAP, 180 * MIB, 230 * MIB],
         [ms(3, "kswapd_ns", "kswapd, ms"), Figure("scan", "pages scanned", 0), Figure("mib", "MiB")]),
    Load("pin", "64 MiB that lie in the area are pinned for long",
         "pin-large", [SWAP, 64 * MIB, 0, 0],
         [ms(20), Figure("scan", "pages scanned", 0), Figure("in_area", "pages in the area")]),
    Load("pin-tight", "the same while 110 MiB are unmovable and 240 MiB in use; zram swap",
         "pin-large", [SWAP, 64 * MIB, 110 * MIB, 240 * MIB],
         [ms(25), Figure("scan", "pages scanned", 0), Figure("in_area", "pages in the area")]),
    Load("big", "128 MiB while memory is full of programs, then 4 MiB until there is no "
         "more; zram swap", "big", [SWAP, 0, 128 * MIB, 4 * MIB], BIG, driver=True),
    Load("big-fits", "the same beside 280 MiB of programs, which fit",
         "big", [SWAP, 280 * MIB, 128 * MIB, 4 * MIB], [ms(40), *BIG[1:]], driver=True),
    Load("build", "120 % of memory in a build: programs that read files, use memory and end; "
         "zram swap", "jobs", [SWAP, 64 * MIB, 4 * MIB, 20 * MIB, 108 * MIB],
         [Figure("ns", "s", scale=1e9, beside=1.02), SWAPPED_OUT,
          Figure("jobs_failed", "jobs that failed", 0)], seeds=5, disk=True),
    Load("camera", "a camera takes 96 MiB and gives them back, again and again; with its "
         "programs 90 % of memory; zram swap",
         "camera", [SWAP, 340 * MIB, 96 * MIB, 8 * MIB, 0], CAMERA, seeds=5, driver=True),
    Load("camera-net", "the same with GFP_ATOMIC bursts of a network card",
         "camera", [SWAP, 340 * MIB, 96 * MIB, 8 * MIB, 6 * MIB],
         [*CAMERA, Figure("bursts_failed", "bursts that failed", 0)], seeds=5, driver=True),
]


def chosen(names: str) -> list[Load]:
    """The loads of a list with commas; "" stands for all. ValueError names one
    that does not exist."""
    known = {load.name: load for load in LOADS}
    unknown = [name for name in names.split(",") if name and name not in known]
    if unknown:
        raise ValueError(f"unknown load {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names.split(",")] if names else LOADS


@dataclass
class Values:
    """Figures of one load on one board: {name: one of each seed}."""
    values: dict[str, list[float]] = field(default_factory=dict)
    bad: list[str] = field(default_factory=list)

    def read(self, lines: Iterable[str], name: str) -> None:
        """Takes in the lines of one console, without time stamps."""
        found: dict[str, float] = {}
        for line in lines:
            m = LINE.match(line)
            if m and m[1] == name:
                found[m[2]] = int(m[3])
            elif m and m[4] == name:
                self.bad.append(m[5])
        for key, value in (found | derived(found)).items():
            self.values.setdefault(key, []).append(value)

    def of(self, figure: Figure) -> list[float]:
        return sorted(value / figure.scale for value in self.values.get(figure.name, []))


def derived(found: Mapping[str, float]) -> dict[str, float]:
    """Figures that are made of others."""
    out = {what: found[f"pg{what}_kswapd"] + found[f"pg{what}_direct"]
           for what in ("steal", "scan") if f"pg{what}_direct" in found}
    if "allocstall_high" in found:
        out["stalls"] = found["allocstall_normal"] + found["allocstall_high"]
    if found.get("mib") and "ns" in found:
        out["per_mib"] = found["ns"] / found["mib"]
    return out


def number(value: float) -> str:
    if value == int(value):
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def text(values: Sequence[float]) -> str:
    """A figure, or the median and the range of several."""
    if not values:
        return ""
    middle = number(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({number(values[0])}-{number(values[-1])})"


HEAD = ["load", "figure", *COLUMNS, "goal", "holds"]
HOLDS = {True: "yes", False: "no", None: ""}


def rows(loads: Iterable[Load], found: Mapping[tuple[str, str], Values]) -> list[list[str]]:
    """The table. found: by load and column."""
    out = []
    for load in loads:
        for figure in load.figures:
            columns = {column: found[load.name, column].of(figure)
                       if (load.name, column) in found else [] for column in COLUMNS}
            goal = figure.goal_beside(columns["none"])
            holds = figure.holds(columns["ours"], goal) if (load.name, "ours") in found else None
            out.append([load.name, figure.unit, *map(text, columns.values()),
                        "" if goal is None else number(goal), HOLDS[holds]])
    return out


def table(loads: Iterable[Load], lines: Sequence[list[str]]) -> list[str]:
    """Lines of text; what a load does stands above its figures."""
    return report.titled(HEAD, lines, {load.name: f"{load.name}: {load.what}" for load in loads},
                         {0, 1})


def merged(known: Sequence[list[str]], new: Sequence[list[str]]) -> list[list[str]]:
    """The loads of @new in place of what @known has of them."""
    order = [load.name for load in LOADS]
    again = {line[0] for line in new}
    kept = [line for line in known if line[0] in order and line[0] not in again]
    return sorted([*kept, *new], key=lambda line: order.index(line[0]))


def write_csv(lines: Iterable[Sequence[str]], peer: str, path: Path) -> None:
    names = {"none": "no area", "mainline": peer, "ours": "this"}
    path.write_text(report.as_csv([[names.get(key, key) for key in HEAD], *lines]))
