# SPDX-License-Identifier: GPL-2.0
"""The figures as the cover letter of the series shows them: text of a mail.

They come from the same files as those of the pages; see pages.py.
"""

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from measure import cases, pages
from measure.pages import Figures
from trees import bases

WIDTH = 72		# of a line
CELL = 14		# of it a figure gets, or a pair of them


def row(label: str, cells: Sequence[str], width: int = CELL) -> list[str]:
    """The figures stand to the right of the last line of the label."""
    figures = "".join(cell.rjust(width) for cell in cells)
    lines = textwrap.wrap(label, WIDTH, subsequent_indent="  ") or [""]
    if len(lines[-1]) + len(figures) > WIDTH:
        lines.append("")
    return [*lines[:-1], lines[-1] + figures.rjust(WIDTH - len(lines[-1]))]


def first(known: Sequence[Figures]) -> str:
    """What README shows on its first screen."""
    lines = row("", [figures.peer for figures in known], 2 * CELL)
    lines += row("", ["kernel's", "this"] * len(known))
    for words, keys in pages.FIRST:
        lines += row(words, [pages.pair(figures, side, keys) for figures in known
                             for side in ("mainline", "ours")])
    return "\n".join(lines)


def slower(figures: Figures) -> str:
    """All figures in which the kernel's own allocator is better."""
    what = {c.name: c.what for c in cases.all_cases()}
    lines = row(f"{pages.count_of(figures)} figures", [figures.peer, "this"])
    for key in pages.slower_in(figures):
        case, size, figure = key
        lines += row(f"{what[case]}, {size}: {figure}",
                     [figures.get(*key, side) for side in ("mainline", "ours")])
    return "\n".join(lines)


def blocks(kernel: str, repo: Path = pages.REPO) -> dict[str, Callable[[], str]]:
    """What @NAME@ in the letter stands for, if the series is for Linux @kernel."""
    def known() -> list[Figures]:
        """Those of this kernel first."""
        return sorted(pages.of_pages(repo), key=lambda figures: (
            bases.series(figures.kernel) != bases.series(kernel)))

    return {"kernel": lambda: f"Linux {kernel}",
            "figures": lambda: first(known()),
            "slower": lambda: slower(pages.of_page(bases.series(kernel), repo))}
