# SPDX-License-Identifier: GPL-2.0
"""The kernels this allocator is for, and where what is made for each lies.

BASE= chooses one: 6.12, or newest, the newest kernel that Debian has. What
depends on the kernel is made in BUILD, everything else in TOP; for 6.12 the two
are the same folder.
"""

import os
import sys
from pathlib import Path

from .git import Error

REPO = Path(__file__).resolve().parents[3]
NEWEST = "7.3"			# the newest kernel that is known
BASES = ("6.12", "newest")
VERSIONS = "versions"		# what differs for an older kernel, see overlay.py


def chosen() -> str:
    base = os.environ.get("BASE") or BASES[0]
    if base not in BASES:
        sys.exit("BASE=%s: it can be %s" % (base, " or ".join(BASES)))
    return base


def folder(top: str | Path, base: str) -> Path:
    """Where what is made for @base lies."""
    return Path(top) / base if base == "newest" else Path(top)


def option(base: str) -> str:
    """What to add to a command of make for @base."""
    return "" if base == BASES[0] else " BASE=" + base


BASE = chosen()
TOP = Path(os.environ.get("BUILD") or REPO / "build").resolve()
BUILD = folder(TOP, BASE)
VERSION = "" if BASE == "newest" else BASE	# its folder in versions/, if any


def series(kernel: str) -> str:
    """'6.12' of '6.12.117'."""
    return ".".join(kernel.split(".")[:2])


def number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def older(root: str | Path) -> list[str]:
    """The kernels before NEWEST that the repository at @root is for."""
    found = Path(root, VERSIONS)
    return sorted(os.listdir(found), key=number) if found.is_dir() else []


def version_of(kernel: str, root: str | Path) -> str:
    """The folder in versions/ for @kernel; "" if the top of the repository is."""
    known = older(root)
    if series(kernel) in known:
        return series(kernel)
    if not is_newer(kernel) and series(kernel) != NEWEST:
        raise Error("Linux %s is not supported; %s and %s or newer are" % (
            kernel, ", ".join(v + ".y" for v in known), NEWEST))
    return ""


def is_newer(kernel: str) -> bool:
    """Than all that are known."""
    return number(series(kernel)) > number(NEWEST)


def check(kernel: str, base: str, root: str | Path, path: str) -> None:
    """Fails unless the source at @path, which is @kernel, can be @base."""
    version = version_of(kernel, root)
    if (version or "newest") != base:
        raise Error("%s is Linux %s: %s" % (path, kernel, (
            "leave out BASE=" + base if version == BASES[0] else
            "add BASE=" + (version or "newest"))))
