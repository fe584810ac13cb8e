# SPDX-License-Identifier: GPL-2.0
"""The repository's files <-> the tree `cma`.

A whole file stands at its kernel path; `<path>.diff` edits a file of `bare`, with
a paragraph above its `---` line that says why. These are for the newest kernel.
versions/N.M/ has what is different for Linux N.M, at the same paths: a file or an
edit there takes the place of what the repository has for that path, or is one
more. versions/N.M/absent lists the paths, one a line, for which Linux N.M has
neither; '#' starts a comment, which says why.

Paths here are kernel paths unless they are called names, which are the
repository's.
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import edits
from .bases import REPO, VERSIONS
from .git import Entry, Error, Repo, split

# The repository's own, no part of the kernel: files at the root, and folders.
# Dot files and *.md at the root are, too.
OWN_FILES = {"Makefile", "COPYING"}
OWN_FOLDERS = ("build/", "scripts/cma/", VERSIONS + "/")
MOVED = {"Kconfig": "mm/cma/Kconfig"}
MOVED_BACK = {path: name for name, path in MOVED.items()}
ABSENT = "absent"

Files = dict[str, tuple[str, bool]]		# path -> (name, is it a .diff)


def is_own(name: str) -> bool:
    """Does @name belong to the repository alone?"""
    return (name in OWN_FILES or name.startswith((".", *OWN_FOLDERS)) or
            ("/" not in name and name.endswith(".md")))


def folder_of(version: str) -> str:
    return "%s/%s/" % (VERSIONS, version)


class Overlay:
    """The files of the repository at @root, as they are in its work tree, for the
    newest kernel or for @version."""

    def __init__(self, root: str | Path = REPO, build: str | Path | None = None,
                 version: str = "") -> None:
        self.root = root
        self.build = build
        self.version = version
        names = self._names()
        self.top = _files(n for n in names if not is_own(n))
        self.versions = {v: _version(v, names) for v in sorted(
            {n.split("/")[1] for n in names if n.startswith(VERSIONS + "/")})}
        self.files = dict(self.top)
        self.absent = self._absent() if version in self.versions else []
        for path in self.absent:
            del self.files[path]
        self.files |= self.versions.get(version, {})

    def _names(self) -> list[str]:
        if os.path.exists(os.path.join(self.root, ".git")):
            names = set(split(Repo(self.root).run("ls-files", "-z", "-c", "-o",
                                                  "--exclude-standard").stdout))
        else:
            names = {os.path.relpath(os.path.join(folder, f), self.root)
                     for folder, _, files in os.walk(self.root) for f in files}
        build = os.path.relpath(self.build, self.root) + "/" if self.build else "build/"
        return sorted(n for n in names if not n.startswith(build)
                      and os.path.lexists(os.path.join(self.root, n)))

    @property
    def absent_name(self) -> str:
        return folder_of(self.version) + ABSENT

    def absent_text(self) -> str:
        path = Path(self.root, self.absent_name)
        return path.read_text("utf-8") if path.exists() else ""

    def _absent(self) -> list[str]:
        """The paths for which this version has nothing."""
        paths = [p for p in (line.partition("#")[0].strip()
                             for line in self.absent_text().splitlines()) if p]
        for path in paths:
            if path not in self.top:
                raise Error("%s: the repository has nothing for %s" % (self.absent_name, path))
            if path in self.versions[self.version]:
                raise Error("both %s and %s stand for %s" % (
                    self.absent_name, self.versions[self.version][path][0], path))
        return paths

    def everywhere(self) -> set[str]:
        """The paths that this or another kernel has something for."""
        return set(self.top).union(*self.versions.values())

    def read(self, name: str) -> tuple[str, bytes]:
        path = Path(self.root, name)
        if path.is_symlink():
            return "120000", os.fsencode(path.readlink())
        mode = "100755" if path.stat().st_mode & stat.S_IXUSR else "100644"
        return mode, path.read_bytes()

    def key(self) -> bytes:
        """Everything the tree cma depends on besides bare, as one text."""
        return b"\0".join(part for path, (name, _) in sorted(self.files.items())
                          for mode, data in [self.read(name)] for part in (
                              os.fsencode(name), mode.encode(), b"%d" % len(data), data))


def _files(names: Iterable[str]) -> Files:
    """What is at the top of the repository."""
    files: Files = {}
    for name in names:
        path = name.removesuffix(".diff")
        if name in MOVED_BACK:
            raise Error("%s belongs at %s in the repository" % (name, MOVED_BACK[name]))
        _add(files, MOVED.get(path, path) if path == name else path, name)
    return files


def _version(version: str, names: Iterable[str]) -> Files:
    """What versions/@version has."""
    files: Files = {}
    for name in names:
        path = name.removeprefix(folder_of(version))
        if path != name and path != ABSENT:
            if is_own(path) or path in MOVED:
                raise Error("%s: the repository keeps a file of its own there" % name)
            _add(files, path.removesuffix(".diff"), name)
    return files


def _add(files: Files, path: str, name: str) -> None:
    if path in files:
        raise Error("both %s and %s stand for %s" % (files[path][0], name, path))
    files[path] = name, name.endswith(".diff")


@dataclass
class Target:
    """What the files of the repository are for: the commit @bare of Linux @kernel."""
    repo: Repo
    bare: str
    kernel: str
    overlay: Overlay

    def apply(self) -> tuple[dict[str, Entry], dict[str, str]]:
        """({path: (mode, blob)} of all that differs from bare, {path: error})."""
        files = self.overlay.files
        have = self.repo.entries(self.bare, list(files))
        done, failed = {}, {}
        for path, (name, edit) in files.items():
            mode, data = self.overlay.read(name)
            try:
                done[path] = (self._edited(have.get(path), path, name, data) if edit
                              else (mode, self.repo.blob(data)))
            except Error as e:
                failed[path] = str(e)
        return done, failed

    def edited(self, path: str, name: str, data: bytes) -> Entry:
        """What the edit @data, which is called @name, makes of @path of bare."""
        return self._edited(self.repo.entries(self.bare, [path]).get(path), path, name, data)

    def _edited(self, entry: Entry | None, path: str, name: str, data: bytes) -> Entry:
        if not entry:
            raise Error("%s: Linux %s has no %s to edit" % (name, self.kernel, path))
        return edits.apply(self.repo, entry, path, name, data, self.kernel)
