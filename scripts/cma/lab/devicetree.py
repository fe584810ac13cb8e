# SPDX-License-Identifier: GPL-2.0
"""Device trees for tests: that of a board, with nodes of the test's own.

Nodes are given as source, "/ { node { ... }; };", and come behind the board's,
so that a node of the same path is one with it and a label refers to what is
above. An overlay, "&label { ... };" or "&{/path} { ... };", is merged into the
result before the boot, as a boot loader does it.
"""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

# Warnings of dtc about nodes that QEMU made, and about sloppy ones on purpose.
DTC = ["dtc", "-q"]
MEMRESERVE = re.compile(r"/memreserve/[^;]*;")
OVERLAY = "/dts-v1/;\n/plugin/;\n"


class Error(Exception):
    """dtc or fdtoverlay refused; the message is theirs."""


def run(cmd: Sequence[str | Path], text: str | None = None) -> str:
    done = subprocess.run([str(c) for c in cmd], input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise Error(f"{' '.join(map(str, cmd))}:\n{done.stderr}\n{text or ''}")
    return done.stdout


def source(dtb: Path) -> str:
    """A device tree as text."""
    return run(DTC + ["-I", "dtb", "-O", "dts", dtb])


def build(text: str, dtb: Path) -> None:
    """Text to a device tree that overlays find labels in."""
    run(DTC + ["-@", "-I", "dts", "-O", "dtb", "-o", dtb], text)


def extend(dtb: Path, nodes: str = "", overlays: Sequence[str] = ()) -> None:
    """Adds nodes and overlays to a device tree, in place."""
    if nodes:
        # The source of the board has its labels as numbers already.
        nodes = re.sub(r"/dts-v1/;", "", nodes)
        # Memory is reserved in front of all nodes.
        reserved = "".join(MEMRESERVE.findall(nodes))
        text = source(dtb).replace("/dts-v1/;", f"/dts-v1/;\n{reserved}", 1)
        build(text + MEMRESERVE.sub("", nodes), dtb)
    parts = []
    for i, overlay in enumerate(overlays):
        part = dtb.with_suffix(f".{i}.dtbo")
        build(OVERLAY + overlay, part)
        parts.append(part)
    if parts:
        merged = dtb.with_suffix(".merged")
        run(["fdtoverlay", "-i", dtb, "-o", merged, *parts])
        merged.replace(dtb)
