# SPDX-License-Identifier: GPL-2.0
"""Packages of another Debian suite than this machine's, as folders. Nothing of
the machine's own apt changes: lists and packages are kept in a folder, and
signatures are checked as ever."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab import children

from .git import Error

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Unavailable(Error):
    """The mirror does not have it; the message says what, and why."""


def run(*cmd: str | Path, error: type[Error] = Unavailable, **kw: Any) -> str:
    done = children.capture(cmd, **kw)
    if done.returncode:
        output = done.stdout.strip().splitlines()
        raise error(output[-1] if output else f"{cmd[0]} failed")
    return done.stdout


def mirror() -> str:
    """The mirror that this machine's own packages come from."""
    lines = run("apt-get", "indextargets", "--format",
                "$(REPO_URI) $(RELEASE)",
                "Created-By: Packages", "Origin: Debian",
                "Component: main").splitlines()
    # Not security updates or backports, which lie elsewhere.
    found = sorted({uri for uri, suite in (line.split() for line in lines)
                    if not set(suite) & set("-/")})
    if not found:
        raise Unavailable("apt knows no Debian mirror; run apt-get update")
    return found[0]


class Suite:
    """One suite of the mirror, with its lists in the folder @tmp."""

    def __init__(self, name: str, tmp: Path) -> None:
        self.tmp = tmp
        self.options: list[str] = ["-q", "-q"]
        (tmp / "sources.list").write_text(f"deb [signed-by={KEYS}] {mirror()} {name} main\n")
        for path in "lists/partial", "cache/archives/partial", "parts":
            (tmp / path).mkdir(parents=True)
        for option in (f"Dir::Etc::SourceList={tmp}/sources.list",
                       f"Dir::Etc::SourceParts={tmp}/parts",
                       f"Dir::State::Lists={tmp}/lists",
                       f"Dir::Cache={tmp}/cache",
                       "Dir::State::Status=/dev/null",
                       "APT::Sandbox::User=root",
                       "Acquire::Languages=none",
                       "Acquire::Retries=2"):
            self.options += ["-o", option]
        run("apt-get", *self.options, "update")

    def packages(self, start: str) -> list[str]:
        """The names of those that begin with @start."""
        return run("apt-cache", *self.options, "pkgnames", start).split()

    def unpack(self, package: str, folder: Path) -> str:
        """The files of a package, below a folder. Return: its version."""
        run("apt-get", *self.options, "download", package, cwd=self.tmp)
        deb, = self.tmp.glob("*.deb")
        run("dpkg-deb", "-x", deb, folder, error=Error)
        version = run("dpkg-deb", "-f", deb, "Version", error=Error).strip()
        deb.unlink()
        return version


@contextlib.contextmanager
def suite(name: str) -> Iterator[Suite]:
    with tempfile.TemporaryDirectory(prefix="cma-apt-") as tmp:
        yield Suite(name, Path(tmp))
