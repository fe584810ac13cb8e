# SPDX-License-Identifier: GPL-2.0
"""Packages of another Debian suite than this machine's, as folders. Nothing of
the machine's own apt changes: lists and packages are kept in a folder, and
signatures are checked as ever."""

import tempfile
from pathlib import Path
from typing import Any

from lab import children

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Unavailable(Exception):
    """The mirror does not have it; the message says what, and why."""


def run(*cmd: str | Path, **kw: Any) -> str:
    done = children.capture(cmd, **kw)
    if done.returncode:
        said = done.stdout.strip().splitlines()
        raise Unavailable(said[-1] if said else f"{cmd[0]} failed")
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


def fetch(package: str, suite: str, folder: Path) -> str:
    """The files of a package, unpacked below a folder. Return: its version."""
    with tempfile.TemporaryDirectory(prefix="cma-apt-") as name:
        tmp = Path(name)
        (tmp / "sources.list").write_text(f"deb [signed-by={KEYS}] {mirror()} {suite} main\n")
        for path in "lists/partial", "cache/archives/partial", "parts":
            (tmp / path).mkdir(parents=True)
        apt = ["apt-get", "-qq"]
        for option in (f"Dir::Etc::SourceList={tmp}/sources.list",
                       f"Dir::Etc::SourceParts={tmp}/parts",
                       f"Dir::State::Lists={tmp}/lists",
                       f"Dir::Cache={tmp}/cache",
                       "Dir::State::Status=/dev/null",
                       "APT::Sandbox::User=root",
                       "Acquire::Languages=none",
                       "Acquire::Retries=2"):
            apt += ["-o", option]
        run(*apt, "update")
        run(*apt, "download", package, cwd=tmp)
        deb, = tmp.glob("*.deb")
        run("dpkg-deb", "-x", deb, folder)
        return run("dpkg-deb", "-f", deb, "Version").strip()
