# SPDX-License-Identifier: GPL-2.0
"""Git as a store of trees: thin calls that never depend on the user's settings.

Trees are computed in temporary indexes; the work tree is touched only by
Repo.switch(), which rewrites the files that differ and no others.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

Entry = tuple[str, str]			# mode, blob
# {path: (status, old mode, old blob, new mode, new blob)}
Changes = dict[str, tuple[str, str, str, str, str]]

IDENTITY = ("cma tree", "cma@localhost")
# Fixed, so that the same content always has the same commit id.
DATE = "2024-11-17T12:00:00+0000"


class Error(Exception):
    """Something the user has to put right; the text says what."""


def clean_env() -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env.update(
        LC_ALL="C", GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0", GIT_EDITOR="true",
        GIT_AUTHOR_NAME=IDENTITY[0], GIT_AUTHOR_EMAIL=IDENTITY[1],
        GIT_COMMITTER_NAME=IDENTITY[0], GIT_COMMITTER_EMAIL=IDENTITY[1],
        GIT_AUTHOR_DATE=DATE, GIT_COMMITTER_DATE=DATE)
    return env


class Repo:
    """One git repository with its work tree."""

    def __init__(self, path: str | Path, extra_env: dict[str, str] | None = None) -> None:
        self.path = os.path.abspath(path)
        self.gitdir = os.path.join(self.path, ".git")
        self.env = clean_env() | (extra_env or {})

    def run(self, *args: str, stdin: bytes | None = None, index: str | None = None,
            check: bool = True) -> subprocess.CompletedProcess[bytes]:
        env = self.env | {"GIT_INDEX_FILE": index} if index else self.env
        # The owner of a clone may be another user than the one who builds.
        cmd = ["git", "-c", "safe.directory=*", "-c", "core.quotePath=false"]
        done = subprocess.run(cmd + list(args), input=stdin, env=env,
                              cwd=self.path, capture_output=True)
        if check and done.returncode:
            raise Error("git %s failed in %s:\n%s" % (
                args[0], self.path,
                (done.stderr or done.stdout).decode(errors="replace").strip()))
        return done

    def out(self, *args: str, **kw: Any) -> str:
        return self.run(*args, **kw).stdout.decode(errors="surrogateescape").strip()

    def init(self) -> None:
        os.makedirs(self.path, exist_ok=True)
        self.run("init", "-q", "-b", "main")
        # Speed over size: the import writes some 90,000 blobs.
        for key, value in (("core.compression", "1"), ("core.looseCompression", "0"),
                           ("gc.auto", "0")):
            self.run("config", key, value)

    def resolve(self, ref: str) -> str:
        """Object id of @ref, or None."""
        done = self.run("rev-parse", "-q", "--verify", ref, check=False)
        return done.stdout.decode().strip() or None

    def tag(self, name: str) -> str:
        return self.resolve("refs/tags/%s^{commit}" % name)

    def set_tag(self, name: str, commit: str) -> None:
        self.run("update-ref", "refs/tags/" + name, commit)

    def tree_of(self, commit: str) -> str:
        return self.resolve(commit + "^{tree}")

    def commit(self, tree: str, parents: Iterable[str], message: str) -> str:
        args = [a for p in parents for a in ("-p", p)]
        return self.out("commit-tree", tree, *args, stdin=message.encode())

    @contextlib.contextmanager
    def temp_index(self) -> Iterator[str]:
        with tempfile.TemporaryDirectory(prefix="cma-index-", dir=self.gitdir) as tmp:
            yield os.path.join(tmp, "index")

    def blob(self, data: bytes) -> str:
        return self.out("hash-object", "-w", "--stdin", stdin=data)

    def read(self, blob: str) -> bytes:
        return self.run("cat-file", "blob", blob).stdout

    def entries(self, tree: str, paths: Collection[str]) -> dict[str, Entry]:
        """{path: (mode, blob)} of those of @paths which @tree has."""
        if not paths:
            return {}
        found = {}
        for line in split(self.run("--literal-pathspecs", "ls-tree", "-z", tree,
                                    "--", *sorted(paths)).stdout):
            meta, path = line.split("\t", 1)
            mode, kind, blob = meta.split()
            if kind == "blob":
                found[path] = (mode, blob)
        return found

    def write_tree(self, tree: str, changes: Mapping[str, Entry | None]) -> str:
        """@tree with @changes {path: (mode, blob) or None to delete} applied."""
        if not changes:
            return tree
        lines = ["%s %s\t%s\0" % (c[0], c[1], p) if c else
                 "0 %s\t%s\0" % ("0" * 40, p) for p, c in sorted(changes.items())]
        with self.temp_index() as index:
            self.run("read-tree", tree, index=index)
            self.run("update-index", "-z", "--index-info", index=index,
                     stdin="".join(lines).encode(errors="surrogateescape"))
            return self.out("write-tree", index=index)

    def changes(self, old: str, new: str) -> Changes:
        """{path: (status, old mode, old blob, new mode, new blob)}."""
        fields = split(self.run("diff-tree", "-r", "-z", "--no-renames",
                                 "--raw", old, new).stdout)
        found = {}
        for meta, path in zip(fields[::2], fields[1::2]):
            omode, nmode, oblob, nblob, status = meta[1:].split()
            found[path] = (status, omode, oblob, nmode, nblob)
        return found

    def numstat(self, old: str, new: str) -> dict[str, tuple[int, int]]:
        """{path: (added, removed)} lines."""
        found = {}
        for line in split(self.run("diff-tree", "-r", "-z", "--no-renames",
                                    "--numstat", old, new).stdout):
            added, removed, path = line.split("\t", 2)
            found[path] = (int(added), int(removed)) if added != "-" else (0, 0)
        return found

    def is_clean(self, commit: str) -> bool:
        """Does the work tree hold exactly @commit, with no new files?"""
        return (self.resolve("HEAD") == commit and
                not self.out("status", "--porcelain", "-uall"))

    def snapshot(self, index: str | None = None) -> tuple[str, str]:
        """The work tree as a tree object; and the index file that goes with it.

        The kernel's .gitignore hides every dot file; the two kinds that belong
        to the source are taken all the same, as is whatever was `git add -f`ed.
        @index: where to make the index, if not beside the one of the work tree.
        """
        index = index or os.path.join(self.gitdir, "cma-snapshot")
        current = os.path.join(self.gitdir, "index")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(index + ".lock")      # of a run that was killed
        if os.path.exists(current):
            shutil.copy2(current, index)
        self.run("add", "-A", index=index)
        hidden = split(self.run(
            "ls-files", "-z", "-o", "-i", "--exclude-standard", "--",
            ":(glob)**/.kunitconfig", ":(glob)**/.gitignore", index=index).stdout)
        if hidden:
            self.run("--literal-pathspecs", "add", "-f", "--", *hidden, index=index)
        return self.out("write-tree", index=index), index

    def switch(self, snapshot: str, index: str, tree: str, commit: str) -> None:
        """Work tree and branch main from @snapshot to @tree = @commit."""
        os.replace(index, os.path.join(self.gitdir, "index"))
        if snapshot != tree:
            self.run("read-tree", "-m", "-u", snapshot, tree)
        self.run("symbolic-ref", "HEAD", "refs/heads/main")
        self.run("update-ref", "refs/heads/main", commit)


def split(data: bytes) -> list[str]:
    text = data.decode(errors="surrogateescape")
    return text.split("\0")[:-1] if text else []
