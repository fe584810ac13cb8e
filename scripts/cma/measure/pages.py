# SPDX-License-Identifier: GPL-2.0
"""The figures in README.md and Documentation/: nobody types them.

A whole run of bench.py writes Documentation/mm/cma-figures-N.M.csv, a file for
each kernel that the repository is for. What other pages show is picked from these
files, so a page cannot differ from them: the test of the documents compares them.
A page is written by hand around its figures.

    python3 scripts/cma/measure/pages.py    pick again, after an edit of this file
"""

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measure import cases, placement, report  # noqa: E402
from trees import bases  # noqa: E402

Row = dict[str, str]
Key = tuple[str, str, str]		# case, size, figure

REPO = bases.REPO
FOLDER = Path("Documentation/mm")
CASES = FOLDER / "cma-figures-cases.csv"
README = Path("README.md")
KERNELS = [*bases.older(REPO), bases.NEWEST]	# those that have figures

KEYS = ["case", "size", "figure", "mainline", "ours", "ratio", "goal", "holds"]
PEER = KEYS.index("mainline")
RATE = {report.FIGURES[name] for name in ("rate", "count")}	# more is better

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


def csv_file(what: str, kernel: str) -> Path:
    """Figures beside @kernel, '6.12' or 'Linux 6.12.117'. what: "figures" for all of
    bench.py, "figures-arm" for those that Documentation/mm/cma-arm.rst shows,
    "placement" for what areas do to all others, "hot" for page allocations."""
    return FOLDER / f"cma-{what}-{bases.series(kernel.removeprefix('Linux '))}.csv"


class Figures:
    """All figures as they are shown. peer: the kernel that ours are beside."""

    def __init__(self, rows: Sequence[Row], peer: str) -> None:
        self.rows = rows
        self.peer = peer
        self.known = {key_of(r): r for r in rows}

    @property
    def kernel(self) -> str:
        return self.peer.removeprefix("Linux ")

    def get(self, case: str, size: str, figure: str, side: str) -> str:
        """One of them; empty if there is none."""
        row = self.known.get((case, size, figure))
        return row[side].replace("-", "") if row else ""


def key_of(row: Row) -> Key:
    return row["case"], row["size"], row["figure"]


def of_rows(rows: Iterable[report.Row], peer: str) -> Figures:
    """From a run of bench.py, in words and with three digits."""
    return Figures([dict(zip(KEYS, [*report.cells(row)[:-2], placement.HOLDS[row.holds]]))
                    for row in rows], peer)


def of_page(kernel: str, repo: Path = REPO) -> Figures:
    """From the file that pages include; none if there is no such file."""
    lines = report.read_csv(repo / csv_file("figures", kernel))
    return Figures([dict(zip(KEYS, line)) for line in lines[1:]],
                   lines[0][PEER] if lines else f"Linux {kernel}")


def of_pages(repo: Path = REPO) -> list[Figures]:
    """Those of all kernels that have some."""
    return [found for found in (of_page(kernel, repo) for kernel in KERNELS) if found.rows]


def merged(known: Figures, new: Figures) -> Figures:
    """The cases of @new in place of what @known has of them."""
    again = {row["case"] for row in new.rows}
    rows = [row for row in known.rows if row["case"] not in again] + [*new.rows]
    order = [case.name for case in cases.all_cases()]
    return Figures(sorted(rows, key=lambda row: order.index(row["case"])), new.peer)


def figures_page(figures: Figures) -> str:
    head = [*KEYS]
    head[PEER:PEER + 2] = figures.peer, "this"
    return report.as_csv([head] + [[row[key] for key in KEYS] for row in figures.rows])


def cases_page() -> str:
    """What each case of the table is."""
    return report.as_csv([["case", "what is measured", "repeats"]] + [
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
    return report.as_csv([["", *SIZES], ["zeroing and flushing alone", *floors()]] + [
        [words] + [pair(figures, side, [(case, size, "alloc"),
                                        (case, size, "free")])
                   for size in SIZES] for words, case, side in ARM])


def sides(known: Iterable[Figures]) -> tuple[str, str]:
    """The two lines on top of a table of README: columns of figures."""
    names = [name for figures in known for name in (figures.peer, "this")]
    return "".join(f" {name} |" for name in names), "--:|" * len(names)


def first_screen(known: Sequence[Figures]) -> str:
    names, marks = sides(known)
    lines = [f"| thousands of instructions |{names}", f"|---|{marks}"]
    lines += [f"| {words} |" + "".join(
        f" {pair(figures, side, keys)} |" for figures in known
        for side in ("mainline", "ours")) for words, keys in FIRST]
    return "\n".join(lines)


def is_slower(row: Row) -> bool:
    if not row["ratio"]:
        return False
    ratio = float(row["ratio"])
    return ratio < 1 if row["figure"] in RATE else ratio > 1


def slower_in(figures: Figures) -> list[Key]:
    """All figures in which the kernel's own allocator is better."""
    return [key_of(row) for row in figures.rows if is_slower(row)]


def count_of(figures: Figures) -> str:
    return f"{len(slower_in(figures))} of {len(figures.rows)}"


def keys_of(known: Iterable[Figures]) -> list[Key]:
    """Those of all kernels, in the order of the cases."""
    order = [case.name for case in cases.all_cases()]
    return sorted(dict.fromkeys(key_of(row) for figures in known for row in figures.rows),
                  key=lambda key: order.index(key[0]))


def slower(known: Sequence[Figures]) -> str:
    """The same as a table; for a kernel on which it is not so there is nothing."""
    what = {c.name: c.what for c in cases.all_cases()}
    found = {figures.peer: slower_in(figures) for figures in known}
    worse = {key for keys in found.values() for key in keys}
    rows = [key for key in keys_of(known) if key in worse]
    names, marks = sides(known)
    lines = [f"| worse than the kernel's own in {' and '.join(map(count_of, known))} figures "
             f"| |{names}", f"|---|---|{marks}"]
    for key in rows:
        case, size, figure = key
        lines.append(f"| {what[case]}, {size} | {figure} |" + "".join(
            f" {figures.get(*key, side) if key in found[figures.peer] else ''} |"
            for figures in known for side in ("mainline", "ours")))
    return "\n".join(lines)


BLOCKS = {"figures": first_screen, "slower": slower}


def between(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- {name}:begin -->\n).*?(?=\n<!-- {name}:end -->)",
                      re.S)


def readme(text: str, known: Sequence[Figures]) -> str:
    """README with the figures of today."""
    for name, block in BLOCKS.items():
        new = block(known)
        text = between(name).sub(lambda _: new, text)
    return text


def texts(repo: Path = REPO) -> dict[Path, str]:
    """Every file that shows figures, as the files of the figures want it."""
    known = of_pages(repo)
    return {CASES: cases_page(), README: readme((repo / README).read_text(), known)} | {
        csv_file("figures-arm", figures.kernel): paths_page(figures) for figures in known}


def write(figures: Figures | None = None, repo: Path = REPO) -> None:
    """Every file that has figures in it, after a run that gave @figures."""
    if figures:
        (repo / csv_file("figures", figures.kernel)).write_text(figures_page(figures))
    for path, text in texts(repo).items():
        (repo / path).write_text(text)


def kernel_of(obj: Path) -> str:
    """The version that a kernel was built from, by its object folder."""
    release = (obj / "include/config/kernel.release").read_text()
    return "Linux " + re.match(r"[\d.]+", release)[0].rstrip(".")


if __name__ == "__main__":
    write()
