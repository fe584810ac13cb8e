# SPDX-License-Identifier: GPL-2.0
"""From the lines of the guest's program to figures.

Pure: lines in, figures out. Owns the meaning of each figure:

    median, average, worst   of the requests that got a buffer, thousands of
                             instructions
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

LINE = re.compile(r"bench: (sample|failed|refused|count|rate|bad) (\S+) (.*)$")
INSTRUCTIONS = 1000	# to a unit of the table

RATE_BESIDE = {"build": "build-none", "build-none": "build-none"}
MORE_IS_BETTER = {"count", "rate"}


class Samples:
    """What one kernel did in one case with one size; times are ns."""

    def __init__(self):
        self.alloc_ns = []
        self.free_ns = []
        self.sum_ns = []
        self.failed_ns = []
        self.refused_ns = []
        self.avoidable = 0
        self.count = None
        self.rate_hz = None


class Results:
    """What one kernel did: {(case, KiB): Samples}, and what went wrong."""

    def __init__(self):
        self.samples = {}
        self.bad = []

    def read(self, lines):
        """Takes in the lines of a console, without time stamps."""
        for line in lines:
            m = LINE.match(line)
            if m and m[1] == "bad":
                self.bad.append((m[2], m[3]))
            elif m:
                self.add(m[1], m[2], list(map(int, m[3].split())))

    def add(self, kind, case, values):
        size_kib, *values = values
        key = case, size_kib // 1024
        s = self.samples.setdefault(key, Samples())
        if kind == "sample":
            s.alloc_ns.append(values[0])
            s.free_ns.append(values[1])
            s.sum_ns.append(values[0] + sum(values[2:]))
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

    def missing(self, case):
        """The sizes of a case that lack a figure; that all requests for one
        failed is none."""
        return [kib for kib in case.sizes
                if any(self.figure(case.name, kib, name) is None
                       for name in case.figures)]

    def figure(self, case, kib, name):
        """One figure; None if there is none."""
        s = self.samples.get((case, kib))
        if not s:
            return None
        if name == "failed":
            return len(s.failed_ns)
        if name == "avoidable":
            return s.avoidable
        if name == "count":
            return s.count
        if name == "rate":
            one = self.samples.get((RATE_BESIDE.get(case, "threads-1"), kib))
            if s.rate_hz is None or not one or not one.rate_hz:
                return None
            return s.rate_hz / one.rate_hz
        times_ns = {"free": s.free_ns, "sum": s.sum_ns,
                    "refused": s.refused_ns}.get(name, s.alloc_ns)
        if not times_ns:
            return None
        of = {"average": statistics.mean, "worst": max, "refused": max}
        return of.get(name, statistics.median)(times_ns) / INSTRUCTIONS


class Row:
    """One line of the table. mainline, ours: None where there is none.
    failed: how many requests of ours for it got no buffer, None if ours did
    not run."""

    def __init__(self, case, kib, figure, mainline, ours, failed, goal, floor):
        self.case = case
        self.kib = kib
        self.figure = figure
        self.mainline = mainline
        self.ours = ours
        self.failed = failed
        self.goal = goal
        self.floor = floor

    @property
    def ratio(self):
        if (self.ours is None or not self.mainline
                or self.figure in ("failed", "avoidable")):
            return None
        return self.ours / self.mainline

    @property
    def holds(self):
        """Whether ours keeps its goal, which what it does not give cannot;
        None without a goal, or without ours."""
        if self.goal is None or self.failed is None:
            return None
        if self.failed or self.ours is None:
            return False
        if self.figure in MORE_IS_BETTER:
            return self.ours >= self.goal
        return self.ours <= self.goal


def rows(cases, goals, mainline, ours):
    """The lines of the table; mainline and ours are Results, or None."""
    def of(results, *key):
        return results.figure(*key) if results else None

    out = []
    for case in cases:
        for kib in case.sizes:
            names = list(case.figures)
            if any(of(r, case.name, kib, "failed") for r in (mainline, ours)):
                names += ["failed", "avoidable"]
            failed = None
            if ours:
                failed = of(ours, case.name, kib, "failed") or 0
            for name in names:
                key = case.name, kib, name
                row = Row(case, kib, name, of(mainline, *key), of(ours, *key),
                          failed, *goals.get(key, (None, None)))
                if (row.mainline is not None or row.ours is not None
                        or row.holds is False):
                    out.append(row)
    return out
