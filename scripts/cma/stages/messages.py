# SPDX-License-Identifier: GPL-2.0
"""The messages that the allocator can write to the kernel log, as its source
has them. The manual explains each of them, and the tests provoke each.
"""

import re

SOURCES = ["mm/contig/*.c", "mm/cma/*.c", "drivers/base/dma-*.c", "arch/arm/mm/dma-*.c"]
# What is wrong with a word of the command line stands inside a message.
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


def joined(literals):
    """The text of string literals that stand side by side."""
    return "".join(part[1:-1] for part in re.findall(LITERAL, literals)
                   ).replace('\\"', '"').replace("\\n", "")


def formats(path):
    """The formats of all messages of a source file."""
    text = path.read_text()
    found = [joined(m[1]) for m in PRINT.finditer(text)]
    if path.match(PARSER):
        found += [joined(m[1]) for m in REASON.finditer(text)]
    return [f for f in found if longest(f)]


def fragments(fmt):
    """The parts of a message that are always the same."""
    return [part.removeprefix("cma:").strip(" :,")
            for part in CONVERSION.split(fmt)]


def longest(fmt):
    """What a message is known by; empty if all of it varies."""
    best = max(fragments(fmt), key=len)
    return best if len(best) >= LEAST else ""


def of_tree(repo):
    """Format by format, the file that has it."""
    return {fmt: path.relative_to(repo)
            for glob in SOURCES for path in sorted(repo.glob(glob))
            for fmt in formats(path)}


def flat(text):
    """Without the ends of lines, and without the marks of a table."""
    return " ".join(text.replace("``", "").split())
