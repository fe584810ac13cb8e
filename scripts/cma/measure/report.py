# SPDX-License-Identifier: GPL-2.0
"""How figures are shown: the table, CSV, plots."""

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from lab import children
from measure.figures import Results, Row

HEAD = ["case", "size", "figure", "mainline", "ours", "ratio", "goal",
        "floor", ""]
FIGURES = {"median": "alloc", "average": "alloc average",
           "own": "alloc average, own", "worst": "alloc worst",
           "sum": "alloc + again", "free": "free",
           "refused": "refused, worst", "failed": "failed calls",
           "avoidable": "of those avoidable",
           "count": "buffers", "rate": "rate, x"}
MARKS = {True: "holds", False: "MISSED", None: ""}


def size_text(kib: int) -> str:
    return f"{kib // 1024} MiB" if kib >= 1024 else f"{kib} KiB"


def number(value: float | None, figure: str | None = None) -> str:
    """Three digits that count, and no point where there is none to make."""
    if value is None:
        return "-"
    if figure in ("failed", "avoidable", "count"):
        return str(value)
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def cells(row: Row) -> list[str]:
    return [row.case.name, size_text(row.kib), FIGURES[row.figure],
            number(row.mainline, row.figure), number(row.ours, row.figure),
            *("" if value is None else number(value)
              for value in (row.ratio, row.goal, row.floor)),
            MARKS[row.holds]]


def aligned(lines: Sequence[Sequence[str]], left: Collection[int]) -> list[str]:
    """Lines of text, whose columns are as wide as their cells. left: columns of words."""
    width = [max(map(len, column)) for column in zip(*lines)]
    return ["  ".join(cell.ljust(n) if i in left else cell.rjust(n)
                      for i, (cell, n) in enumerate(zip(line, width))).rstrip()
            for line in lines]


def titled(head: list[str], lines: Sequence[list[str]], titles: Mapping[str, str],
           left: Collection[int]) -> list[str]:
    """Aligned lines; the title of a first cell stands above all that begin with it."""
    texts = aligned([head, *(["", *line[1:]] for line in lines)], left)
    out, last = texts[:1], None
    for line, text in zip(lines, texts[1:]):
        if line[0] != last:
            out += ["", titles[line[0]]]
        last = line[0]
        out.append(text)
    return out


def table(rows: list[Row]) -> list[str]:
    """Lines of text, with what a case is above its figures."""
    titles = {case.name: f"{case.name}: {case.what}" + "; varies from run to run" * case.varies
              for case in (row.case for row in rows)}
    return titled(HEAD, [cells(row) for row in rows], titles, {0, 2, 8})


def as_csv(lines: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()


def read_csv(path: Path) -> list[list[str]]:
    """The lines of a file; none if there is no such file."""
    if not path.exists():
        return []
    with open(path, newline="") as table:
        return list(csv.reader(table))


def write_csv(rows: list[Row], path: Path) -> None:
    path.write_text(as_csv([["case", "what", "size_kib", "figure", "mainline", "ours",
                             "ratio", "goal", "floor", "holds"]] + [
        [r.case.name, r.case.what, r.kib, r.figure, r.mainline, r.ours,
         r.ratio, r.goal, r.floor, r.holds] for r in rows]))


def write_samples(sides: dict[str, Results], path: Path) -> None:
    """Every single sample, for those who want another figure."""
    lines: list[list[object]] = [
        ["kernel", "case", "size_kib", "alloc_ns", "free_ns", "failed_ns"]]
    for side, results in sides.items():
        for (case, kib), s in results.samples.items():
            lines += [[side, case, kib, *times_ns, ""] for times_ns in zip(s.alloc_ns, s.free_ns)]
            lines += [[side, case, kib, "", "", failed_ns] for failed_ns in s.failed_ns]
    path.write_text(as_csv(lines))


PLOT_HEAD = """\
set terminal svg size 800,500 font "sans,12" background "white"
set output "{svg}"
set title "{title}"
set key top left
set grid
"""


def data_block(name: str, lines: Iterable[str]) -> str:
    return "\n".join([f"${name} << end", *lines, "end", ""])


def series(rows: list[Row], case: str, figure: str) -> list[tuple[int, float, float]]:
    """Points of one case and figure where both kernels have one."""
    return [(r.kib, r.mainline, r.ours) for r in rows
            if r.case.name == case and r.figure == figure
            and r.mainline and r.ours]


def size_plot(rows: list[Row], case: str, curves: list[tuple[str, str]], title: str) -> str | None:
    """Cost against size, both axes logarithmic; None without points."""
    text, plots = "", []
    for figure, label in curves:
        points = series(rows, case, figure)
        if not points:
            return None
        text += data_block(figure, [" ".join(map(str, p)) for p in points])
        for column, kernel, color in ((2, "mainline", "#c04020"), (3, "ours", "#2060a0")):
            dash = 1 if figure == curves[0][0] else 2
            plots.append(f"${figure} using 1:{column} with linespoints "
                         f"dashtype {dash} linecolor rgb '{color}' "
                         f"title '{kernel}, {label}'")
    return (PLOT_HEAD.format(svg="{svg}", title=title) + text +
            "set logscale xy\nset xlabel 'KiB'\n"
            "set ylabel 'thousand instructions'\n"
            "plot " + ", \\\n     ".join(plots) + "\n")


def ratio_plot(rows: list[Row]) -> str | None:
    """A bar for each time both kernels have."""
    bars = [r for r in rows if r.ratio and r.figure in ("median", "average")]
    if not bars:
        return None
    lines = [f'"{r.case.name} {size_text(r.kib)}" {r.ratio}' for r in bars]
    return (PLOT_HEAD.format(svg="{svg}", title="ours / mainline, a request")
            + data_block("ratio", lines) +
            "unset key\nset logscale y\nset style fill solid 0.7\n"
            "set boxwidth 0.7\nset xtics rotate by -90 font 'sans,9'\n"
            "set ylabel 'less is better'\nset yrange [*:2]\n"
            "plot 1 with lines linecolor rgb '#c04020', "
            "$ratio using 0:2:xtic(1) with boxes linecolor rgb '#2060a0'\n")


def write_plots(rows: list[Row], folder: Path) -> list[str]:
    """SVG files; returns what gnuplot did not like."""
    plots = {
        "free": size_plot(rows, "free", [("median", "request"),
                                         ("free", "release")],
                          "A buffer of a free area"),
        "sweep": size_plot(rows, "sweep", [("average", "average"),
                                           ("worst", "worst")],
                           "A buffer while programs run as in a build"),
        "ratio": ratio_plot(rows),
    }
    problems = []
    for name, text in plots.items():
        if text is None:
            continue
        script = folder / f"{name}.gnuplot"
        script.write_text(text.replace("{svg}", str(folder / f"{name}.svg")))
        done = children.capture(["gnuplot", script])
        if done.returncode:
            problems.append(f"plot {name}: {done.stdout.strip()}")
    return problems
