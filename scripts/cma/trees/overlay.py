# SPDX-License-Identifier: GPL-2.0
"""The repository's files <-> the tree `cma`.

A whole file stands at its kernel path; `<path>.diff` edits a file of `bare`, with
a paragraph above its `---` line that says why. Paths here are kernel paths
unless they are called names, which are the repository's.
"""

import os
import re
import stat
import subprocess
from pathlib import Path

from .git import Changes, Entry, Error, Repo, clean_env

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))

# The repository's own, no part of the kernel: files at the root, and folders.
# Dot files and *.md at the root are, too.
OWN_FILES = {"Makefile", "COPYING"}
OWN_FOLDERS = ("build/", "scripts/cma/")
MOVED = {"Kconfig": "mm/cma/Kconfig"}
MOVED_BACK = {path: name for name, path in MOVED.items()}

TODO = "TODO: say why\n\n"


def is_own(name: str) -> bool:
    """Does @name belong to the repository alone?"""
    return (name in OWN_FILES or name.startswith((".", *OWN_FOLDERS)) or
            ("/" not in name and name.endswith(".md")))


class Conflict(Error):
    pass


class Overlay:
    """The files of the repository at @root, as they are in its work tree."""

    def __init__(self, root: str | Path = REPO, build: str | Path | None = None) -> None:
        self.root = root
        self.build = build
        self.files: dict[str, tuple[str, bool]] = {}         # path -> (name, is it a .diff)
        for name in self._names():
            self._add(name)

    def _names(self) -> list[str]:
        if os.path.exists(os.path.join(self.root, ".git")):
            done = subprocess.run(
                ["git", "-c", "safe.directory=*", "ls-files", "-z", "-c", "-o",
                 "--exclude-standard"], cwd=self.root, env=clean_env(),
                capture_output=True)
            if done.returncode:
                raise Error("git ls-files in %s: %s" % (self.root, done.stderr.decode()))
            names = set(os.fsdecode(done.stdout).split("\0")) - {""}
        else:
            names = {os.path.relpath(os.path.join(folder, f), self.root)
                     for folder, _, files in os.walk(self.root) for f in files}
        build = os.path.relpath(self.build, self.root) + "/" if self.build else "build/"
        return sorted(n for n in names if not is_own(n) and not n.startswith(build)
                      and os.path.lexists(os.path.join(self.root, n)))

    def _add(self, name: str) -> None:
        edit = name.endswith(".diff")
        path = name[:-5] if edit else MOVED.get(name, name)
        if path in self.files:
            raise Error("both %s and %s stand for %s" % (self.files[path][0], name, path))
        if not edit and name in MOVED_BACK:
            raise Error("%s belongs at %s in the repository" % (name, MOVED_BACK[name]))
        self.files[path] = (name, edit)

    def read(self, name: str) -> tuple[str, bytes]:
        full = os.path.join(self.root, name)
        if os.path.islink(full):
            return "120000", os.fsencode(os.readlink(full))
        with open(full, "rb") as f:
            mode = "100755" if os.fstat(f.fileno()).st_mode & stat.S_IXUSR else "100644"
            return mode, f.read()

    def key(self) -> bytes:
        """Everything the tree cma depends on besides bare, as one text."""
        return b"\0".join(part for path, (name, _) in sorted(self.files.items())
                          for part in (os.fsencode(name), *self._parts(name)))

    def _parts(self, name: str) -> tuple[bytes, ...]:
        mode, data = self.read(name)
        return mode.encode(), str(len(data)).encode(), data

    def apply(self, repo: Repo, bare: str, kernel: str) -> tuple[dict[str, Entry], dict[str, str]]:
        """({path: (mode, blob)} of all that differs from @bare, {path: error})."""
        have = repo.entries(bare, list(self.files))
        done, failed = {}, {}
        for path, (name, edit) in self.files.items():
            mode, data = self.read(name)
            if not edit:
                done[path] = (mode, repo.blob(data))
            elif path not in have:
                failed[path] = "%s: Linux %s has no %s to edit" % (name, kernel, path)
            else:
                try:
                    done[path] = _apply_diff(repo, have[path], path, name, data, kernel)
                except Error as e:
                    failed[path] = str(e)
        return done, failed

    def tree(self, repo: Repo, bare: str, kernel: str) -> str:
        done, failed = self.apply(repo, bare, kernel)
        if failed:
            raise Error("\n".join(failed[p] for p in sorted(failed)))
        return repo.write_tree(repo.tree_of(bare), done)


def split_diff(data: bytes) -> tuple[bytes, bytes]:
    """(text that says why, the edit itself)."""
    found = re.search(rb"^--- ", data, re.M)
    return (data[:found.start()], data[found.start():]) if found else (data, b"")


def _apply_diff(repo: Repo, entry: Entry, path: str, name: str, data: bytes, kernel: str) -> Entry:
    """The (mode, blob) that the edit @data makes of @entry.

    git apply without -C and --3way looks for the hunks at other lines, but
    insists on all of their context.
    """
    _, edit = split_diff(data)
    want = ("--- a/%s\n+++ b/%s\n" % (path, path)).encode()
    if not edit.startswith(want):
        raise Error("%s: is no edit of %s, or has no '--- a/%s' line" % (name, path, path))
    with repo.temp_index() as index:
        repo.run("update-index", "-z", "--index-info", index=index,
                 stdin=("%s %s\t%s\0" % (*entry, path)).encode())
        done = repo.run("apply", "--cached", "--whitespace=nowarn", "-", index=index,
                        stdin=edit, check=False)
        if done.returncode:
            raise Error(_explain(done.stderr.decode(), edit, path, name, kernel))
        listed = repo.out("ls-files", "-s", index=index).split("\n")
    if len(listed) != 1 or not listed[0].endswith("\t" + path):
        raise Error("%s: edits other files than %s" % (name, path))
    mode, blob = listed[0].split()[:2]
    return mode, blob


def _explain(message: str, edit: bytes, path: str, name: str, kernel: str) -> str:
    """What git apply said, in terms of the file, the hunk and the kernel."""
    hunks = re.findall(rb"^@@ -(\d+)", edit, re.M)
    found = re.search(r"patch failed: .*:(\d+)\n", message + "\n")
    line = found.group(1) if found else None
    at = [n for n, first in enumerate(hunks, 1) if first.decode() == line]
    if at:
        return "%s: hunk %d of %d does not apply to %s of Linux %s (near line %s)" % (
            name, at[0], len(hunks), path, kernel, line)
    return "%s: does not apply to Linux %s: %s" % (name, kernel, message.strip())


def _edit_of(repo: Repo, bare: str, tree: str, path: str) -> bytes:
    """The edit that makes @path of @bare that of @tree, without its headers."""
    text = repo.run("--literal-pathspecs", "diff", "--no-ext-diff", "--no-textconv",
                    "--no-renames", "--no-color", "-U2", "--src-prefix=a/",
                    "--dst-prefix=b/", bare, tree, "--", path).stdout
    lines = text.split(b"\n")
    while lines and not lines[0].startswith(b"--- "):
        lines.pop(0)
    if not lines:
        raise Error("%s: an edit of a kernel file can change neither its mode nor "
                    "binary data" % path)
    return b"\n".join(lines)


class Export:
    """Plans, then writes, what the tree @now means for the repository.

    @applied: the tree that `make tree` made last, to tell who changed what: the
    kernel tree wins where only it changed, the repository where only that did.
    """

    def __init__(self, repo: Repo, overlay: Overlay, bare: str, applied: str, now: str,
                 kernel: str) -> None:
        self.repo, self.overlay, self.bare, self.now = repo, overlay, bare, now
        self.writes: dict[str, tuple[str, bytes]] = {}        # name -> (mode, data)
        self.removes: list[str] = []       # names
        self.pending: list[str] = []       # names whose edits make tree still has to apply
        self.todo: list[str] = []          # names of .diff files which do not say why
        changed = repo.changes(bare, now)
        was = repo.changes(bare, applied)
        ours, failed = overlay.apply(repo, bare, kernel)
        same = repo.entries(bare, list(set(changed) | set(ours)))
        errors = []
        for path in sorted(set(changed) | set(ours) | set(failed)):
            entry = _new(changed, path, same)
            before = _new(was, path, same)
            repository = "broken" if path in failed else ours.get(path, same.get(path))
            if entry != repository:
                if entry == before:
                    self.pending.append(overlay.files[path][0] if path in overlay.files
                                        else path)
                    continue
                if repository != before:
                    errors.append("%s: changed both in the kernel tree and in the "
                                  "repository%s" % (path, " (" + failed[path] + ")"
                                                    if path in failed else ""))
                    continue
            try:
                self._plan(path, changed)
            except Error as e:
                errors.append(str(e))
        if errors:
            raise Conflict("\n".join(errors))

    def _plan(self, path: str, changed: Changes) -> None:
        name, edit = self.overlay.files.get(path, (None, None))
        if path not in changed:
            self._drop(name)
            return
        status, _, _, mode, blob = changed[path]
        if status == "D":
            raise Error("%s: deleted in the kernel tree; a kernel file can only be "
                        "edited" % path)
        if status == "T" or mode not in ("100644", "100755", "120000"):
            raise Error("%s: changed its type" % path)
        if status == "A" or name and not edit:
            target = MOVED_BACK.get(path, path)
            if is_own(target) or path in MOVED:
                raise Error("%s: the repository keeps a file of its own there" % path)
            self._write(target, mode, self.repo.read(blob))
            if name != target:
                self._drop(name)
            return
        target = path + ".diff"
        if is_own(target):
            raise Error("%s: cannot be edited" % path)
        why = split_diff(self.overlay.read(target)[1])[0] if edit else TODO.encode()
        if not why.strip() or b"TODO" in why:
            self.todo.append(target)
        self._write(target, "100644", why + _edit_of(self.repo, self.bare, self.now, path))

    def _write(self, name: str, mode: str, data: bytes) -> None:
        known = os.path.lexists(os.path.join(self.overlay.root, name))
        if not known or self.overlay.read(name) != (mode, data):
            self.writes[name] = (mode, data)

    def _drop(self, name: str | None) -> None:
        if name:
            self.removes.append(name)

    def write(self) -> None:
        for name in self.removes:
            full = os.path.join(self.overlay.root, name)
            os.unlink(full)
            try:
                os.removedirs(os.path.dirname(full))
            except OSError:
                pass            # not empty
        for name, (mode, data) in self.writes.items():
            full = os.path.join(self.overlay.root, name)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            if os.path.lexists(full):
                os.unlink(full)
            if mode == "120000":
                os.symlink(os.fsdecode(data), full)
                continue
            with open(full, "wb") as f:
                f.write(data)
            if mode == "100755":
                os.chmod(full, os.stat(full).st_mode | 0o111)


def _new(changes: Changes, path: str, same: dict[str, Entry]) -> Entry | None:
    """(mode, blob) of @path after @changes; @same: what it was before them."""
    if path not in changes:
        return same.get(path)
    status, _, _, mode, blob = changes[path]
    return None if status == "D" else (mode, blob)
