# SPDX-License-Identifier: GPL-2.0
"""The stage of check.py that looks back at all others: each message that the
allocator can write to the log came in one of the boots of this run.
"""

import re

from lab import kbuild
from stages import messages
from stages.stage import LOGS

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


def pattern(fmt):
    """What a format looks like in a log."""
    return re.compile(".*".join(map(re.escape, messages.fragments(fmt))))


def not_provoked(formats, logs, named):
    """Those of formats, a dict to their source files, that neither a log has
    nor, if they are the parser's, the texts that its tests expect."""
    said = "\n".join(line for log in logs for line in log.splitlines()
                     if "cma" in line or "coherent_pool" in line)
    return [fmt for fmt, path in formats.items()
            if not (path.match(messages.PARSER) and fmt in named)
            and not pattern(fmt).search(said)]


def stage_messages(stage):
    formats = messages.of_tree(kbuild.REPO)
    logs = (path.read_text(errors="replace")
            for path in sorted(LOGS.glob("*.log")))
    missing = not_provoked(formats, logs,
                           (kbuild.REPO / PARSER_TESTS).read_text())
    for fmt, path in formats.items():
        if fmt in NOT_PROVOKED:
            continue
        stage.result(fmt not in missing, f"{path}: {fmt}",
                     "no boot of this run provoked it")
    for fmt in NOT_PROVOKED:
        stage.result(fmt in formats and fmt in missing, f"exception: {fmt}",
                     "it is not said any more, or a boot provokes it")
