# SPDX-License-Identifier: GPL-2.0
"""What page allocations cost beside a kernel without an allocator: bench.py --hot.

Owns the table of what is measured, and that of the columns, with their goals. A
column is one boot of the same board. The first is the kernel with CONFIG_CMA=n;
the others differ from it by so many percent. What is measured is in
guest/hot_path.c and guest/bench_fault.c.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from measure.placement import AREA, HOLDS, NO_AREA, Figure, Values

LABEL = "hot"			# in all lines of the guest
MODULE = "hot_path"
# Per-CPU lists can serve the first, but not the second.
FAULTS_KIB = 16384, 98304
COMMANDS = [f"insmod /{MODULE}.ko",
            " ".join(map(str, ("/bench", LABEL, "fault", 1, *FAULTS_KIB)))]
TIMEOUT_S = 600
# The kernels, as bench.py names them.
KERNELS = {"none": "hot-none", "ours": "hot", "mainline": "hot-base"}


@dataclass(frozen=True)
class Column:
    """title: {peer} in it stands for the release of the kernel. side: of KERNELS.
    append: kernel parameters. goal: at most so many percent more than CMA=n."""
    title: str
    side: str
    append: str = ""
    goal: float | None = None

    def name(self, peer: str = "mainline") -> str:
        return self.title.format(peer=peer)


BASE = Column("CMA=n", "none")
COLUMNS = [
    Column("this, no area", "ours", NO_AREA, goal=0.2),
    Column("this, area", "ours", AREA, goal=1),
    Column("{peer}, no area", "mainline", NO_AREA),
    Column("{peer}, area", "mainline", AREA),
]
Found = Mapping[Column, Values]


FIGURES = [
    Figure(f"{gfp}-{way}-{order}", f"{flags}, order {order}, {what}", scale=1e3)
    for way, what in (("pair", "alone"), ("row", "many in a row"))
    for order in (0, 3)
    for gfp, flags in (("kernel", "GFP_KERNEL"), ("movable", "movable"))] + [
    Figure(f"{what}-{kib}", f"{unit} {kib >> 10} MiB of anonymous memory", scale=1e3)
    for kib in FAULTS_KIB
    for what, unit in (("fault", "page fault in"), ("unmap", "unmap of a page of"))]


def value(found: Found, column: Column, figure: Figure) -> float | None:
    return next(iter(found[column].of(figure)), None) if column in found else None


def percent(found: Found, column: Column, figure: Figure) -> float | None:
    """How much more than CMA=n, with the digits that are shown."""
    base, here = value(found, BASE, figure), value(found, column, figure)
    return round((here / base - 1) * 100, 2) + 0.0 if base and here is not None else None


def holds(found: Found, column: Column, figure: Figure) -> bool | None:
    """None without a goal. A figure that is missing keeps none."""
    if column.goal is None:
        return None
    more = percent(found, column, figure)
    return more is not None and more <= column.goal


def number(number: float | None, form: str = ".1f") -> str:
    return "" if number is None else format(number, form)


def rows(found: Found, peer: str) -> list[list[str]]:
    """The table, with its head."""
    head = ["instructions", BASE.title]
    for column in COLUMNS:
        head += [column.name(peer), "%"]
    lines = [[*head, "holds"]]
    for figure in FIGURES:
        line = [figure.unit, number(value(found, BASE, figure))]
        for column in COLUMNS:
            line += [number(value(found, column, figure)),
                     number(percent(found, column, figure), "+.2f")]
        lines.append([*line, HOLDS[all(holds(found, column, figure) is not False
                                       for column in COLUMNS)]])
    return lines


def missing(found: Found) -> list[str]:
    """Each figure that a boot did not give."""
    return [f"{column.name()}: no figure for {figure.unit}"
            for column in [BASE, *COLUMNS] for figure in FIGURES
            if value(found, column, figure) is None]


def missed(found: Found) -> list[str]:
    """Each figure that is further from CMA=n than its goal."""
    return [f"{figure.unit}; {column.name()}: "
            f"{number(percent(found, column, figure), '+.2f')} %, goal {column.goal} %"
            for figure in FIGURES for column in COLUMNS
            if holds(found, column, figure) is False]
