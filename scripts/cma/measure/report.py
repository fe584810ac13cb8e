# SPDX-License-Identifier: GPL-2.0
"""How figures are shown: the table, CSV, plots."""

import csv
import subprocess
from collections.abc import Iterable
from pathlib import Path

from measure.figures import Results, Row

HEAD = ["case", "size", "figure", "mainline", "ours", "ratio", "goal",
        "floor", ""]
FIGURES = {"median": "alloc", "average": "alloc average",
           "worst": "alloc worst", "sum": "alloc + again", "free": "free",
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
            number(row.ratio) if row.ratio is not None else "",
            number(row.goal) if row.goal is not None else "",
            number(row.floor) if row.floor is not None else "",
            MARKS[row.holds]]


def table(rows: list[Row]) -> list[str]:
    """Lines of text; a case's name stands in its first line only, with what
    it is above."""
    lines = [HEAD] + [cells(row) for row in rows]
    width = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]

    def text(line: list[str]) -> str:
        left = [line[i].ljust(width[i]) for i in (0,)]
        left += [line[1].rjust(width[1]), line[2].ljust(width[2])]
        right = [line[i].rjust(width[i]) for i in range(3, 8)]
        return "  ".join(left + right + [line[8]]).rstrip()

    out = [text(HEAD)]
    last = None
    for row, line in zip(rows, lines[1:]):
        if row.case is not last:
            varies = "; varies from run to run" if row.case.varies else ""
            out += ["", f"{row.case.name}: {row.case.what}{varies}"]
        last = row.case
        out.append(text(["", *line[1:]]))
    return out


def write_csv(rows: list[Row], path: Path) -> None:
    with open(path, "w", newline="") as out:
        to = csv.writer(out)
        to.writerow(["case", "what", "size_kib", "figure", "mainline", "ours",
                     "ratio", "goal", "floor", "holds"])
        for r in rows:
            to.writerow(["" if v is None else v for v in (
                r.case.name, r.case.what, r.kib, r.figure, r.mainline, r.ours,
                r.ratio, r.goal, r.floor, r.holds)])


def write_samples(sides: dict[str, Results], path: Path) -> None:
    """Every single sample, for those who want another figure."""
    with open(path, "w", newline="") as out:
        to = csv.writer(out)
        to.writerow(["kernel", "case", "size_kib", "alloc_ns", "free_ns", "failed_ns"])
        for side, results in sides.items():
            for (case, kib), s in results.samples.items():
                for alloc_ns, free_ns in zip(s.alloc_ns, s.free_ns):
                    to.writerow([side, case, kib, alloc_ns, free_ns, ""])
                for failed_ns in s.failed_ns:
                    to.writerow([side, case, kib, "", "", failed_ns])


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
        done = subprocess.run(["gnuplot", str(script)], text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode:
            problems.append(f"plot {name}: {done.stdout.strip()}")
    return problems
