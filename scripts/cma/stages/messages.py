# SPDX-License-Identifier: GPL-2.0
"""The messages that the allocator can write to the kernel log, as its source
has them. The manual explains each of them, and the tests provoke each: this
stage looks back at the logs of all others of this run.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from lab import kbuild
from stages.stage import LOGS, Stage, stage

SOURCES = ["mm/contig/*.c", "mm/cma/*.c", "drivers/base/dma-*.c", "arch/arm/mm/dma-*.c"]
# The fault of a word of the command line stands inside a message.
PARSER = "mm/cma/parse.c"

LITERAL = r'"(?:[^"\\]|\\.)*"'
PRINT = re.compile(
    r"\b(?:pr|dev)_(?:err|warn|notice|info)(?:_once|_ratelimited)?\s*\("
    r"\s*(?:\w+\s*,\s*)?((?:" + LITERAL + r"\s*)+)")
REASON = re.compile(r"(?:\breturn|=|[?:])\s*((?:" + LITERAL + r"\s*)+)[;:]")
# A conversion of printk(), and the part of a pointer's behind %p.
CONVERSION = re.compile(
    r"%(?:%|p(?:OF|ad?|U)?|[-#0-9.*]*(?:hh|ll|[hlzt])?[diouxXcs])")
LEAST = 8	# characters that tell one message from another

# Reasons of the parser that its KUnit tests name word by word.
PARSER_TESTS = "mm/cma/tests/parse_kunit.c"
# Messages that no boot provokes, and why.
NOT_PROVOKED = {
    "cma: %s: no files in sysfs": "takes a lack of memory at boot",
    "%s: too many areas, see CONFIG_CMA_AREAS":
        "the table of areas is full before that of what they are for",
    "%s: memblock has no room to note %pa bytes at %pa":
        "takes a lack of memory at boot",
    "no memory for the page table of %pa": "takes a lack of memory at boot",
    "area at %pa is too close to the kernel to be mapped for DMA":
        "the kernel claims its pages of tables, which refuses such an area",
}


def joined(literals: str) -> str:
    """The text of string literals that stand side by side."""
    return "".join(part[1:-1] for part in re.findall(LITERAL, literals)
                   ).replace('\\"', '"').replace("\\n", "")


def formats(path: Path) -> list[str]:
    """The formats of all messages of a source file."""
    text = path.read_text()
    found = [joined(m[1]) for m in PRINT.finditer(text)]
    if path.match(PARSER):
        found += [joined(m[1]) for m in REASON.finditer(text)]
    return [f for f in found if longest(f)]


def fragments(fmt: str) -> list[str]:
    """The parts of a message that are always the same."""
    return [part.removeprefix("cma:").strip(" :,") for part in CONVERSION.split(fmt)]


def longest(fmt: str) -> str:
    """What a message is known by; empty if all of it varies."""
    best = max(fragments(fmt), key=len)
    return best if len(best) >= LEAST else ""


def of_tree(repo: Path) -> dict[str, Path]:
    """Format by format, the file that has it."""
    return {fmt: path.relative_to(repo)
            for glob in SOURCES for path in sorted(repo.glob(glob))
            for fmt in formats(path)}


def flat(text: str) -> str:
    """Without the ends of lines, and without the marks of a table."""
    return " ".join(text.replace("``", "").split())


def pattern(fmt: str) -> re.Pattern[str]:
    """What a format looks like in a log."""
    return re.compile(".*".join(map(re.escape, fragments(fmt))))


def not_provoked(formats: dict[str, Path], logs: Iterable[str], named: str) -> list[str]:
    """Those of formats, a dict to their source files, that neither a log has
    nor, if they are the parser's, the texts that its tests expect."""
    said = "\n".join(line for log in logs for line in log.splitlines()
                     if "cma" in line or "coherent_pool" in line)
    return [fmt for fmt, path in formats.items()
            if not (path.match(PARSER) and fmt in named)
            and not pattern(fmt).search(said)]


@stage("messages", on_request=True)
def provoked(stage: Stage) -> None:
    formats = of_tree(kbuild.REPO)
    logs = (path.read_text(errors="replace") for path in sorted(LOGS.glob("*.log")))
    missing = not_provoked(formats, logs, (kbuild.REPO / PARSER_TESTS).read_text())
    for fmt, path in formats.items():
        if fmt in NOT_PROVOKED:
            continue
        stage.result(fmt not in missing, f"{path}: {fmt}", "no boot of this run provoked it")
    for fmt in NOT_PROVOKED:
        stage.result(fmt in formats and fmt in missing, f"exception: {fmt}",
                     "it is not said any more, or a boot provokes it")
