# SPDX-License-Identifier: GPL-2.0
"""From the lines of the guest's program to figures.

Pure: lines in, figures out. Owns the meaning of each figure:

    median, average, worst   of the requests that got a buffer, thousands of
                             instructions
    own                      average of the requests without the time of other
                             tasks, the same
    free                     median of the releases, the same
    sum                      median of the requests and of what others have to
                             do once more because of them, disk not waited for
    refused                  the longest that a request took to get none when
                             there was room for none, the same
    failed                   requests that got none, all the others
    avoidable                of those, the ones that there was room for
    count                    buffers that there was room for
    rate                     what is done in a second, as a multiple of the
                             same in another case: pairs of request and
                             release beside those of one thread, jobs of a
                             build beside those without an area
"""

import re
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from measure.cases import Case

LINE = re.compile(r"bench: (sample|failed|refused|count|rate|bad) (\S+) (.*)$")
INSTRUCTIONS = 1000	# to a unit of the table

RATE_BESIDE = {"build": "build-none", "build-none": "build-none"}
MORE_IS_BETTER = {"count", "rate"}


@dataclass
class Samples:
    """What one kernel did in one case with one size; times are ns."""
    alloc_ns: list[int] = field(default_factory=list)
    free_ns: list[int] = field(default_factory=list)
    sum_ns: list[int] = field(default_factory=list)
    own_ns: list[int] = field(default_factory=list)
    failed_ns: list[int] = field(default_factory=list)
    refused_ns: list[int] = field(default_factory=list)
    avoidable: int = 0
    count: int | None = None
    rate_hz: float | None = None


class Results:
    """What one kernel did: {(case, KiB): Samples}, and what went wrong."""

    def __init__(self) -> None:
        self.samples: dict[tuple[str, int], Samples] = {}
        self.bad: list[tuple[str, str]] = []

    def read(self, lines: Iterable[str]) -> None:
        """Takes in the lines of a console, without time stamps."""
        for line in lines:
            m = LINE.match(line)
            if m and m[1] == "bad":
                self.bad.append((m[2], m[3]))
            elif m:
                self.add(m[1], m[2], *map(int, m[3].split()))

    def add(self, kind: str, case: str, size: int, *values: int) -> None:
        s = self.samples.setdefault((case, size // 1024), Samples())
        if kind == "sample":
            s.alloc_ns.append(values[0])
            s.free_ns.append(values[1])
            s.sum_ns.append(values[0] + sum(values[2:3]))
            s.own_ns += values[3:4]
        elif kind == "failed":
            s.failed_ns.append(values[0])
            s.avoidable += values[1]
        elif kind == "refused":
            s.refused_ns.append(values[0])
        elif kind == "count":
            s.count = values[0]
        else:
            pairs, _, time_ns = values
            s.rate_hz = pairs * 1e9 / time_ns

    def lacking(self, case: Case) -> list[int]:
        """The sizes of a case that lack a figure, though no request for them failed."""
        return [kib for kib in case.sizes
                if not self.figure(case.name, kib, "failed") and
                any(self.figure(case.name, kib, name) is None for name in case.figures)]

    def figure(self, case: str, kib: int, name: str) -> float | None:
        """One figure; None if there is none."""
        s = self.samples.get((case, kib))
        if not s:
            return None
        if name == "failed":
            return len(s.failed_ns)
        if name in ("avoidable", "count"):
            return getattr(s, name)
        if name == "rate":
            one = self.samples.get((RATE_BESIDE.get(case, "threads-1"), kib))
            if s.rate_hz is None or not one or not one.rate_hz:
                return None
            return s.rate_hz / one.rate_hz
        times_ns = {"free": s.free_ns, "sum": s.sum_ns, "own": s.own_ns,
                    "refused": s.refused_ns}.get(name, s.alloc_ns)
        if not times_ns:
            return None
        if name in ("worst", "refused"):
            return max(times_ns) / INSTRUCTIONS
        middle = statistics.mean if name in ("average", "own") else statistics.median
        return middle(times_ns) / INSTRUCTIONS


@dataclass
class Row:
    """One line of the table. mainline, ours: None where there is none.
    failed: how many requests of ours for it got no buffer, None if ours did
    not run."""
    case: Case
    kib: int
    figure: str
    mainline: float | None
    ours: float | None
    failed: float | None
    goal: float | None
    floor: float | None

    @property
    def ratio(self) -> float | None:
        if (self.ours is None or not self.mainline or self.figure in ("failed", "avoidable")):
            return None
        return self.ours / self.mainline

    @property
    def holds(self) -> bool | None:
        """Whether ours keeps its goal, which what it does not give cannot;
        None without a goal, or without ours."""
        if self.goal is None or self.failed is None:
            return None
        if self.failed or self.ours is None:
            return False
        if self.figure in MORE_IS_BETTER:
            return self.ours >= self.goal
        return self.ours <= self.goal


def rows(cases: Iterable[Case],
         goals: Mapping[tuple[str, int, str], tuple[float, float | None]],
         mainline: Results | None, ours: Results | None) -> list[Row]:
    """The lines of the table; mainline and ours are Results, or None."""
    def of(results: Results | None, *key: Any) -> float | None:
        return results.figure(*key) if results else None

    out = []
    for case in cases:
        for kib in case.sizes:
            names = list(case.figures)
            if any(of(r, case.name, kib, "failed") for r in (mainline, ours)):
                names += ["failed", "avoidable"]
            failed = (of(ours, case.name, kib, "failed") or 0) if ours else None
            for name in names:
                key = case.name, kib, name
                row = Row(case, kib, name, of(mainline, *key), of(ours, *key),
                          failed, *goals.get(key, (None, None)))
                if (row.mainline is not None or row.ours is not None or row.holds is False):
                    out.append(row)
    return out
