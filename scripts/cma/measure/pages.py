# SPDX-License-Identifier: GPL-2.0
"""The figures in README.md and Documentation/: nobody types them.

A whole run of bench.py writes Documentation/mm/cma-figures.csv. What other
pages show is picked from that file, so a page cannot differ from it: the test
of the documents compares them. A page is written by hand around its figures.

    python3 scripts/cma/measure/pages.py    pick again, after an edit of this file
"""

import csv
import io
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measure import cases, report  # noqa: E402

Row = dict[str, str]

REPO = Path(__file__).resolve().parents[3]
FOLDER = Path("Documentation/mm")
FIGURES = FOLDER / "cma-figures.csv"
CASES = FOLDER / "cma-figures-cases.csv"
PATHS = FOLDER / "cma-figures-arm.csv"
README = Path("README.md")

KEYS = ["case", "size", "figure", "mainline", "ours", "ratio", "goal", "holds"]
PEER = KEYS.index("mainline")
RATE = {report.FIGURES[name] for name in ("rate", "count")}	# more is better
WHOLE = ("failed", "avoidable", "count")	# figures that are whole numbers

# The table on README's first screen: what a person asks for, and its figures.
FIRST = [
    ("4 KiB of a free area, and its release",
     [("free", "4 KiB", "alloc"), ("free", "4 KiB", "free")]),
    ("16 MiB of a free area, and its release",
     [("free", "16 MiB", "alloc"), ("free", "16 MiB", "free")]),
    ("4 MiB of an area full of clean page cache: median, worst",
     [("cache", "4 MiB", "alloc"), ("cache", "4 MiB", "alloc worst")]),
    ("4 MiB, all memory full of program data, zram swap: median, worst",
     [("swap", "4 MiB", "alloc"), ("swap", "4 MiB", "alloc worst")]),
    ("256 KiB in the same, with 256 pages pinned: median, worst",
     [("pinned", "256 KiB", "alloc"), ("pinned", "256 KiB", "alloc worst")]),
]

# The ways to ask for a buffer on ARM: words of the page, case, whose figures.
SIZES = ["4 KiB", "64 KiB", "1 MiB", "16 MiB"]
ARM = [
    ("dma_alloc_coherent()", "free", "ours"),
    ("same, cached and zeroed", "kept", "ours"),
    ("same, area in high memory", "highmem", "ours"),
    ("DMA_ATTR_WRITE_COMBINE", "write-combine", "ours"),
    ("DMA_ATTR_NO_KERNEL_MAPPING", "unmapped", "ours"),
    ("GFP_ATOMIC", "atomic", "ours"),
    ("kernel's: dma_alloc_coherent()", "free", "mainline"),
    ("kernel's: area in high memory", "highmem", "mainline"),
    ("kernel's: DMA_ATTR_WRITE_COMBINE", "write-combine", "mainline"),
    ("kernel's: DMA_ATTR_NO_KERNEL_MAPPING", "unmapped", "mainline"),
    ("kernel's: GFP_ATOMIC", "atomic", "mainline"),
]


class Figures:
    """All figures as they are shown. peer: the kernel that ours are beside."""

    def __init__(self, rows: Sequence[Row], peer: str) -> None:
        self.rows = rows
        self.peer = peer
        self.known = {(r["case"], r["size"], r["figure"]): r for r in rows}

    def get(self, case: str, size: str, figure: str, side: str) -> str:
        """One of them; empty if there is none."""
        row = self.known.get((case, size, figure))
        return row[side].replace("-", "") if row else ""


def shown(row: Row) -> Row:
    """A line of bench.py's table.csv, in words and with three digits."""
    def number(key: str, figure: str = "") -> float | None:
        text = row[key]
        if not text:
            return None
        return int(text) if figure in WHOLE else float(text)

    figure = row["figure"]
    return {
        "case": row["case"], "size": report.size_text(int(row["size_kib"])),
        "figure": report.FIGURES[figure],
        **{side: report.number(number(side, figure), figure)
           for side in ("mainline", "ours")},
        **{key: "" if not row[key] else report.number(number(key))
           for key in ("ratio", "goal")},
        "holds": {"True": "yes", "False": "no", "": ""}[row["holds"]],
    }


def of_table(path: Path, peer: str) -> Figures:
    """From the table of a run of bench.py."""
    with open(path, newline="") as table:
        return Figures([shown(row) for row in csv.DictReader(table)], peer)


def of_page(repo: Path = REPO) -> Figures:
    """From the file that pages include."""
    with open(repo / FIGURES, newline="") as page:
        head, *lines = csv.reader(page)
    return Figures([dict(zip(KEYS, line)) for line in lines], head[PEER])


def as_csv(lines: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()


def figures_page(figures: Figures) -> str:
    head = [*KEYS]
    head[PEER:PEER + 2] = figures.peer, "this"
    return as_csv([head] + [[row[key] for key in KEYS]
                            for row in figures.rows])


def cases_page() -> str:
    """What each case of the table is."""
    return as_csv([["case", "what is measured", "repeats"]] + [
        [c.name, c.what, "varies" if c.varies else "to the digit"]
        for c in cases.all_cases()])


def pair(figures: Figures, side: str,
         keys: Iterable[tuple[str, str, str]]) -> str:
    """Figures that belong together: request / release, or median / worst."""
    return " / ".join(filter(None, (figures.get(*key, side) for key in keys)))


def floors() -> list[str]:
    """What is left of a request if all else is free."""
    goals = {report.size_text(kib): floor for (case, kib, figure), (_, floor)
             in cases.GOALS.items() if (case, figure) == ("free", "median")}
    return [report.number(goals.get(size)) for size in SIZES]


def paths_page(figures: Figures) -> str:
    return as_csv([["", *SIZES], ["zeroing and flushing alone", *floors()]] + [
        [words] + [pair(figures, side, [(case, size, "alloc"),
                                        (case, size, "free")])
                   for size in SIZES] for words, case, side in ARM])


def first_screen(figures: Figures) -> str:
    lines = [f"| thousands of instructions | {figures.peer} | this |",
             "|---|--:|--:|"]
    lines += [f"| {words} | {pair(figures, 'mainline', keys)} "
              f"| {pair(figures, 'ours', keys)} |" for words, keys in FIRST]
    return "\n".join(lines)


def is_slower(row: Row) -> bool:
    if not row["ratio"]:
        return False
    ratio = float(row["ratio"])
    return ratio < 1 if row["figure"] in RATE else ratio > 1


def slower(figures: Figures) -> str:
    """All figures in which the kernel's own allocator is better."""
    what = {c.name: c.what for c in cases.all_cases()}
    rows = [row for row in figures.rows if is_slower(row)]
    lines = [f"| worse than the kernel's own in {len(rows)} of "
             f"{len(figures.rows)} figures | | {figures.peer} | this |",
             "|---|---|--:|--:|"]
    lines += ["| {}, {} | {} | {} | {} |".format(
        what[row["case"]], row["size"], row["figure"], row["mainline"],
        row["ours"]) for row in rows]
    return "\n".join(lines)


BLOCKS = {"figures": first_screen, "slower": slower}


def between(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- {name}:begin -->\n).*?(?=\n<!-- {name}:end -->)",
                      re.S)


def readme(text: str, figures: Figures) -> str:
    """README with the figures of today."""
    for name, block in BLOCKS.items():
        new = block(figures)
        text = between(name).sub(lambda _: new, text)
    return text


def write(figures: Figures, repo: Path = REPO) -> None:
    """Every file that has figures in it."""
    for path, text in (
            (FIGURES, figures_page(figures)), (CASES, cases_page()),
            (PATHS, paths_page(figures)),
            (README, readme((repo / README).read_text(), figures))):
        (repo / path).write_text(text)


def kernel_of(obj: Path) -> str:
    """The version that a kernel was built from, by its object folder."""
    release = (obj / "include/config/kernel.release").read_text()
    return "Linux " + re.match(r"[\d.]+", release)[0].rstrip(".")


if __name__ == "__main__":
    write(of_page())
