# SPDX-License-Identifier: GPL-2.0
"""Edits made in a kernel tree -> the repository.

The tree of the newest kernel goes to the top of the repository. The tree of an
older one goes to its folder in versions/ where that has the path already. All
else goes to the top as well, so that every kernel gets it; an edit only if the
newest kernel can have it, too. `make export FOR=this` writes what has changed to
the folder in versions/ instead.
"""

import contextlib
import os
from collections.abc import Collection, Iterable
from pathlib import Path

from . import edits
from .bases import VERSIONS
from .git import Changes, Entry, Error
from .overlay import MOVED, MOVED_BACK, Target, folder_of, is_own

TODO = "TODO: say why\n\n"


class Export:
    """Plans, then writes, what the tree @now means for the repository.

    @applied: the tree that `make tree` made last, to tell who changed what: the
    kernel tree wins where only it changed, the repository where only that did.
    @others: the other kernels whose trees are there. @for_this: what has changed
    is for this kernel alone.
    """

    def __init__(self, target: Target, applied: str, now: str,
                 others: Collection[Target] = (), for_this: bool = False) -> None:
        self.target, self.repo, self.overlay = target, target.repo, target.overlay
        self.bare, self.now = target.bare, now
        self.others, self.for_this = others, for_this
        self.folder = folder_of(self.overlay.version) if self.overlay.version else ""
        if for_this and not self.folder:
            raise Error("FOR=this is for an older kernel: what is made for the newest one "
                        "goes to the top of the repository")
        self.writes: dict[str, tuple[str, bytes]] = {}        # name -> (mode, data)
        self.removes: list[str] = []       # names
        self.pending: list[str] = []       # names whose edits make tree still has to apply
        self.todo: list[str] = []          # names of files which do not say why
        self.untried: list[str] = []       # edits that the newest kernel may not have
        self.broken: list[str] = []        # why an older kernel can have them no more
        self.absent: list[str] = []        # paths to add to versions/N.M/absent
        self.present: list[str] = []       # paths to take out of it
        self._plan_all(applied)
        self._plan_absent()

    def _plan_all(self, applied: str) -> None:
        changed = self.repo.changes(self.bare, self.now)
        was = self.repo.changes(self.bare, applied)
        ours, failed = self.target.apply()
        same = self.repo.entries(self.bare, list(set(changed) | set(ours)))
        errors = []
        for path in sorted(set(changed) | set(ours) | set(failed)):
            entry = _new(changed, path, same)
            before = _new(was, path, same)
            repository = "broken" if path in failed else ours.get(path, same.get(path))
            if entry != repository and not (self.for_this and path in failed):
                if entry == before:
                    self.pending.append(self._name(path) or path)
                    continue
                if repository != before:
                    errors.append("%s: changed both in the kernel tree and in the "
                                  "repository%s" % (path, " (" + failed[path] + ")"
                                                    if path in failed else ""))
                    continue
            try:
                self._plan(path, changed, entry != repository)
            except Error as e:
                errors.append(str(e))
        if errors:
            raise Error("\n".join(errors))

    def _name(self, path: str) -> str:
        return self.overlay.files.get(path, ("", False))[0]

    def _is_apart(self, path: str, differs: bool) -> bool:
        """Does what the tree has at @path belong to versions/?"""
        return bool(self.folder) and (
            self._name(path).startswith(self.folder) or path in self.overlay.absent or
            self.for_this and differs)

    def _plan(self, path: str, changed: Changes, differs: bool) -> None:
        name, edit = self.overlay.files.get(path, ("", False))
        apart = self._is_apart(path, differs)
        if path not in changed:
            self._drop(path, name, apart)
            return
        if path in self.overlay.absent:
            self.present.append(path)
        status, _, _, mode, blob = changed[path]
        if status == "D":
            raise Error("%s: deleted in the kernel tree; a kernel file can only be "
                        "edited" % path)
        if status == "T" or mode not in ("100644", "100755", "120000"):
            raise Error("%s: changed its type" % path)
        if status == "A" or name and not edit:
            target = self.folder + path if apart else MOVED_BACK.get(path, path)
            if is_own(path) or path in MOVED:
                raise Error("%s: the repository keeps a file of its own there" % path)
            self._write(target, mode, self.repo.read(blob))
        else:
            target = (self.folder if apart else "") + path + ".diff"
            if is_own(path + ".diff"):
                raise Error("%s: cannot be edited" % path)
            self._edit(path, target, (mode, blob), apart, differs)
        if name and name != target and apart == name.startswith(VERSIONS + "/"):
            self.removes.append(name)

    def _edit(self, path: str, target: str, entry: Entry, apart: bool, differs: bool) -> None:
        name, edit = self.overlay.files.get(path, ("", False))
        old = self.overlay.read(name)[1] if edit else TODO.encode()
        why = edits.split(old)[0]
        if not why.strip() or b"TODO" in why:
            self.todo.append(target)
        if not differs and self.folder:
            return
        most, fewest = edits.context(old)
        data = why + edits.make(self.repo, self.bare, self.now, path, most)
        if differs and not apart:
            data = self._fitted(path, target, entry, data, range(most, fewest - 1, -1))
        # Hunks that somebody has cut to fit several kernels stay as they are.
        if differs or edits.is_same(old, data):
            self._write(target, "100644", data)

    def _fitted(self, path: str, target: str, entry: Entry, data: bytes,
                context: Iterable[int]) -> bytes:
        """The edit @data for the top, with as much context as fits all kernels."""
        why, errors = edits.split(data)[0], []
        for lines in context:
            cut = why + edits.make(self.repo, self.bare, self.now, path, lines)
            try:
                return self._for_all(path, target, entry, cut, lines)
            except Error as e:
                errors.append(str(e))
        if self.folder:
            raise Error("%s\n  'make export FOR=this' writes it to %s" % (
                errors[0], self.folder))
        self.broken.append("%s\n  'make export BASE=N.M FOR=this' keeps what the tree of that "
                           "kernel has" % errors[0])
        return data

    def _for_all(self, path: str, target: str, entry: Entry, data: bytes, lines: int) -> bytes:
        """The edit @data as it is at the top; fails if another kernel cannot have it."""
        if not self.folder:
            for other in self.others:
                name, _ = other.overlay.files.get(path, (target, True))
                if name == target and path not in other.overlay.absent:
                    other.edited(path, target, data)
            return data
        newest = [other for other in self.others if not other.overlay.version]
        if not newest:
            self.untried.append(target)
            return data
        # The numbers of lines are those of the newest kernel.
        there, = newest
        tree = there.repo.write_tree(there.repo.tree_of(there.bare),
                                     {path: there.edited(path, target, data)})
        data = edits.split(data)[0] + edits.make(there.repo, there.bare, tree, path, lines)
        if self.target.edited(path, target, data) != entry:
            raise Error("%s: is something else for Linux %s" % (target, there.kernel))
        return data

    def _write(self, name: str, mode: str, data: bytes) -> None:
        known = os.path.lexists(os.path.join(self.overlay.root, name))
        if not known or self.overlay.read(name) != (mode, data):
            self.writes[name] = (mode, data)

    def _drop(self, path: str, name: str, apart: bool) -> None:
        """The tree has nothing of ours at @path."""
        if name and (not apart or name.startswith(self.folder)):
            self.removes.append(name)
        if name and apart and path in self.overlay.top:
            self.absent.append(path)

    def _plan_absent(self) -> None:
        if not self.absent and not self.present:
            return
        name = self.overlay.absent_name
        lines = [line for line in self.overlay.absent_text().splitlines()
                 if line.partition("#")[0].strip() not in self.present]
        for path in self.absent:
            lines += ["# " + TODO.strip(), path]
            self.todo.append(name)
        self._write(name, "100644", "".join(line + "\n" for line in lines).encode())

    def write(self) -> None:
        for name in self.removes:
            path = Path(self.overlay.root, name)
            path.unlink()
            with contextlib.suppress(OSError):		# not empty
                os.removedirs(path.parent)
        for name, (mode, data) in self.writes.items():
            path = Path(self.overlay.root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if mode == "120000":
                path.symlink_to(os.fsdecode(data))
                continue
            path.write_bytes(data)
            if mode == "100755":
                path.chmod(path.stat().st_mode | 0o111)


def _new(changes: Changes, path: str, same: dict[str, Entry]) -> Entry | None:
    """(mode, blob) of @path after @changes; @same: what it was before them."""
    if path not in changes:
        return same.get(path)
    status, _, _, mode, blob = changes[path]
    return None if status == "D" else (mode, blob)
