#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The demonstration: make demo.

Builds what is missing, boots the ARM board `virt` with 256 MiB of memory, 64
of them set aside for devices, and shows what the guest's half, guest/demo.c,
reports: memory fills up, a driver gets large contiguous buffers all the same,
and nobody loses a byte. Owns what the host prints and the verdict.

    demo.py             from the packages to the verdict
    demo.py --no-build  boots what is there
"""

import io
import re
import sys
import time
from typing import cast
from collections.abc import Sequence
from pathlib import Path

from lab import boards, children, cli, kbuild

HERE = boards.Path(__file__).resolve().parent
BUILD = boards.BUILD
OUT = BUILD / "demo"
KERNEL = BUILD / "obj-arm"

STEPS: list[tuple[str, list[str | Path]]] = [
    ("packages that are needed", [HERE / "deps.sh", "demo"]),
    ("the kernel's source, with the allocator", [HERE / "tree.py", "tree"]),
    ("a kernel for ARM boards", [HERE / "kernel.py", "build", "arm"]),
    ("Debian programs and a disk for the board", [HERE / "userland.sh"]),
]
PROGRESS_S = 30		# between two lines of progress that go to a file
BOOT_TIMEOUT_S = 300

COLOUR = re.compile(r"\033\[[0-9;]*m")
# Kind of a line of the guest's: colour, form.
REPORT = {"row": ("", "    {}"), "good": ("32", "  + {}"), "bad": ("31;1", "  FAILED: {}")}


class Screen:
    """Standard output: colours and lines that change on a terminal only."""

    def __init__(self) -> None:
        self.tty = sys.stdout.isatty()
        cast(io.TextIOWrapper, sys.stdout).reconfigure(encoding="utf-8", line_buffering=True)
        self.passing = False

    def style(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.tty else text

    def line(self, text: str = "") -> None:
        if self.passing:
            print("\r\033[K", end="")
            self.passing = False
        print(text)

    def pass_by(self, text: str) -> None:
        """A line that the next one replaces."""
        if self.tty:
            print(f"\r\033[K  {text[:76]}", end="", flush=True)
            self.passing = True

    def head(self, text: str) -> None:
        self.line()
        self.line(self.style("1", text))

    def guest(self, kind: str, text: str) -> None:
        """One line of the guest's report."""
        if kind == "head":
            self.head(text)
        elif kind == "map":
            self.line("  " + (text if self.tty else COLOUR.sub("", text)))
        else:
            code, form = REPORT.get(kind, ("", "  {}"))
            self.line(self.style(code, form.format(text)) if code else form.format(text))


def run_step(screen: Screen, title: str, cmd: Sequence[str | Path]) -> None:
    """Runs a script; its output is progress, and the reason if it fails."""
    start = shown = time.monotonic()
    lines = []
    screen.pass_by(f"{title} ...")
    with children.running(cmd, **children.OUTPUT) as proc:
        for line in proc.stdout:
            lines.append(line.rstrip())
            screen.pass_by(f"{title}: {line.strip()}")
            if not screen.tty and time.monotonic() - shown > PROGRESS_S:
                shown = time.monotonic()
                screen.line(f"    {line.strip()}")
    elapsed_s = time.monotonic() - start
    if proc.returncode:
        raise kbuild.BuildError(f"{title}:\n" + "\n".join(lines[-30:]))
    screen.line(f"  {title:.<50} {elapsed_s:4.0f} s")


def boot(screen: Screen, programs: dict[str, bytes]) -> list[str]:
    """Boots the board and shows its report; returns what was wrong."""
    problems = []

    def on_line(line: str) -> None:
        text = boards.verdict.TIMESTAMP.sub("", line)
        words = text.split(" ", 2)
        if words[0] != "demo:" or len(words) < 3:
            return
        screen.guest(words[1], words[2])
        if words[1] == "bad":
            problems.append(words[2])

    screen.head("Booting an ARM board (virt, Cortex-A15, 256 MiB) with cma=64M")
    result = boards.boot("virt", KERNEL, append="cma=64M", mem="256M",
                         disk=True, timeout_s=BOOT_TIMEOUT_S, on_line=on_line,
                         commands=["/demo"], files=programs,
                         log=OUT / "console.log")
    return problems + result.problems


def main() -> int:
    parser = cli.parser(__doc__, builds=True)
    opts = parser.parse_args()
    screen = Screen()
    start = time.monotonic()
    try:
        if not opts.no_build:
            screen.line(screen.style("1", "Getting ready"))
            for title, cmd in STEPS:
                run_step(screen, title, cmd)
        OUT.mkdir(parents=True, exist_ok=True)
        problems = boot(screen, {"/demo": kbuild.guest_program("demo"),
                                 "/cmastat": kbuild.cmastat()})
    except kbuild.BuildError as err:
        problems = [str(err)]
    except OSError as err:
        problems = [f"{err.filename}: {err.strerror}"]
    elapsed_s = time.monotonic() - start
    screen.line()
    if problems:
        screen.line(screen.style("31;1", f"FAILED after {elapsed_s:.0f} s: "
                                         f"{problems[0]}"))
        if (OUT / "console.log").exists():
            screen.line(f"The board's console is in {OUT / 'console.log'}")
        return 1
    screen.line(screen.style(
        "32;1", "SUCCESS: out of full memory a driver got its contiguous "
        f"buffers, and nobody lost a byte ({elapsed_s:.0f} s)."))
    return 0


if __name__ == "__main__":
    cli.run(main)
