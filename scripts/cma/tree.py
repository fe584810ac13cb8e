#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Makes the kernel tree and brings edits made in it back to the repository.

  tree     base -> bare -> cma in $BUILD/linux, ready to build
  export   edits in $BUILD/linux -> the repository
  status   each file as new (+), edited (~) or stripped (-), with changed lines
  series   the same as tree, then a patch series for git am in $BUILD/patches, verified

BUILD: where the trees and objects live (default: build/ of the repository).
KSRC:  a tarball or an unpacked folder of Linux 6.12.y; it is never modified.
       Without it a tree that is there is kept; a new one comes from Debian's
       linux-source-6.12, which is installed if need be.
"""

import argparse
import contextlib
import hashlib
import json
import os
import sys
from typing import Any

from lab import children, lock
from trees import bare, overlay, series, source
from trees.git import Error, Repo
from trees.overlay import Export, Overlay

EDIT_BUDGET = 60        # changed lines beyond which an edit wants its own file


class Trees:
    """$BUILD/linux, the repository, and what is known about both."""

    def __init__(self, build: str, root: str = overlay.REPO, recipe: str = bare.FOLDER,
                 steps: str = series.FOLDER) -> None:
        self.build = os.path.abspath(build)
        self.root, self.recipe, self.steps = root, recipe, steps
        self.linux = os.path.join(self.build, "linux")
        self.repo = Repo(self.linux)
        self.state_file = os.path.join(self.repo.gitdir, "cma-tree.json")

    def exists(self) -> bool:
        return os.path.isdir(self.repo.gitdir) and bool(self.repo.tag("base"))

    def need(self) -> None:
        if not self.exists() or not self.repo.tag("bare"):
            raise Error("there is no kernel tree in %s yet: run 'make tree'" % self.linux)

    def state(self) -> dict[str, Any]:
        try:
            with open(self.state_file, encoding="utf-8") as f:
                return json.load(f)
        except FileNotFoundError:
            return {}

    def save(self, **changes: Any) -> None:
        state = self.state() | changes
        with open(self.state_file + ".new", "w", encoding="utf-8") as f:
            json.dump(state, f, indent=1)
        os.replace(f.name, self.state_file)

    def overlay(self) -> Overlay:
        return Overlay(self.root, self.build)

    def kernel(self) -> str:
        entry = self.repo.entries(self.repo.tag("base"), ["Makefile"])["Makefile"]
        return source.version(self.repo.read(entry[1]).decode()) or "?"

    def applied(self) -> str:
        """The commit the work tree was last set to."""
        return self.repo.tag("cma") or self.repo.tag("bare") or self.repo.tag("base")

    # tree

    def make(self) -> None:
        state = self.state() if self.exists() else {}
        wanted = self._source(state)
        if not wanted and self._up_to_date(state):
            print("tree: Linux %s, up to date" % self.kernel())
            return
        if wanted:
            self._refuse_unexported(None)
            source.make_base(wanted["path"], self.linux)
            self.save(source=wanted)
        new_bare = self._make_bare()
        files = self.overlay()
        tree = files.tree(self.repo, new_bare, self.kernel())
        snapshot, index = self._refuse_unexported(tree)
        commit = self.repo.commit(tree, [new_bare], "The contiguous memory allocator\n")
        count = len(self.repo.changes(snapshot, tree))
        self.repo.switch(snapshot, index, tree, commit)
        self.repo.set_tag("bare", new_bare)
        self.repo.set_tag("cma", commit)
        self.save(recipe=self._recipe_key(), overlay=_digest(files.key()))
        print("tree: Linux %s in %s, %d files written" % (self.kernel(), self.linux, count))

    def _source(self, state: dict[str, Any]) -> dict[str, Any] | None:
        """Fingerprint of the source to import, None to keep what is there."""
        asked = source.asked_for(self.build)
        if not self.exists():
            return source.fingerprint(asked or source.packaged())
        if not asked:
            return None
        known = state.get("source")
        found = source.fingerprint(asked, known)
        if known and found["digest"] == known["digest"]:
            if found != known:
                self.save(source=found)
            return None
        return found

    def _recipe_key(self) -> str:
        return _digest((bare.key(self.recipe) + self.repo.tag("base")).encode())

    def _up_to_date(self, state: dict[str, Any]) -> bool:
        cma = self.repo.tag("cma")
        return bool(cma and state.get("recipe") == self._recipe_key() and
                state.get("overlay") == _digest(self.overlay().key()) and
                self.repo.is_clean(cma))

    def _make_bare(self) -> str:
        old = self.repo.tag("bare")
        if old and self.state().get("recipe") == self._recipe_key():
            return old
        base = self.repo.tag("base")
        tree = bare.make(self.repo, base, self.kernel(), self.recipe)
        return self.repo.commit(tree, [base], "Remove the contiguous memory allocator\n")

    def _refuse_unexported(self, tree: str | None) -> tuple[str, str]:
        """Fails if the work tree has edits which @tree does not have, too."""
        if not self.exists():
            return None, None
        snapshot, index = self.repo.snapshot()
        edits = self.repo.changes(self.applied(), snapshot)
        if tree and edits:
            ahead = self.repo.changes(snapshot, tree)
            edits = {p: e for p, e in edits.items() if p in ahead}
        elif edits and self.repo.tag("bare"):
            plan = self._export()
            edits = dict.fromkeys([*plan.writes, *plan.removes])
        if edits:
            raise Error("%s has edits that were not exported (make export):\n%s" % (
                self.linux, "\n".join("  " + p for p in sorted(edits))))
        return snapshot, index

    # export

    def _export(self) -> Export:
        snapshot, _ = self.repo.snapshot()
        return Export(self.repo, self.overlay(), self.repo.tag("bare"),
                              self.applied(), snapshot, self.kernel())

    def export(self) -> None:
        self.need()
        plan = self._export()
        plan.write()
        for sign, names in (("wrote", plan.writes), ("removed", plan.removes)):
            for name in sorted(names):
                print("export: %s %s" % (sign, name))
        for name in plan.pending:
            print("export: left %s alone: make tree has not applied it yet" % name)
        for name in plan.todo:
            print("export: warning: %s does not say why" % name, file=sys.stderr)
        if plan.writes or plan.removes:
            # The next edit starts from the state that was exported.
            self.make()
        else:
            print("export: nothing to do")
        self._mention_ignored()

    def _mention_ignored(self) -> None:
        """New files in folders of ours which the kernel's .gitignore hides."""
        folders = {os.path.dirname(path) for path, (status, *_) in self.repo.changes(
            self.repo.tag("bare"), self.applied()).items() if status == "A"}
        hidden = self.repo.out("ls-files", "-o", "-i", "--exclude-standard").split("\n")
        built = (".o", ".a", ".ko", ".mod", ".cmd", ".d", ".order", ".mod.c", ".s", ".i")
        for path in hidden:
            if os.path.dirname(path) in folders and not path.endswith(built):
                print("export: warning: %s is ignored by git; 'git add -f' it in %s to "
                      "export it" % (path, self.linux), file=sys.stderr)

    # status, series

    def status(self) -> None:
        self.need()
        base, stripped = self.repo.tag("base"), self.repo.tag("bare")
        with self.repo.temp_index() as index:
            snapshot, _ = self.repo.snapshot(index)
        unexported = self.repo.changes(self.applied(), snapshot)
        total: dict[str, list[tuple[int, int]]] = {"-": [], "~": [], "+": []}
        for sign, old, new in (("-", base, stripped), ("", stripped, snapshot)):
            what = self.repo.changes(old, new)
            for path, lines in sorted(self.repo.numstat(old, new).items()):
                mark = sign or ("+" if what[path][0] == "A" else "~")
                notes = []
                if mark == "~" and sum(lines) > EDIT_BUDGET:
                    notes.append("over %d changed lines" % EDIT_BUDGET)
                if not sign and path in unexported:
                    notes.append("not exported")
                print("%s %-58s %+6d %6s%s" % (
                    mark, path, lines[0], "-%d" % lines[1],
                    "  ! " + ", ".join(notes) if notes else ""))
                total[mark].append(lines)
        for mark, word in (("-", "stripped"), ("~", "edited"), ("+", "new")):
            print("%s %d files %s, %d lines added, %d removed" % (
                mark, len(total[mark]), word, sum(a for a, _ in total[mark]),
                sum(r for _, r in total[mark])))

    def series(self) -> None:
        self.make()
        names = series.generate(self.repo, self.root,
                                os.path.join(self.build, "patches"), self.steps)
        for name in names:
            print(name)
        print("series: git am of these %d patches on Linux %s gives the tree"
              % (len(names), self.kernel()))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["tree", "export", "status", "series"])
    command = parser.parse_args(argv).command
    build = os.environ.get("BUILD") or os.path.join(overlay.REPO, "build")
    trees = Trees(build)
    children.end_on_signals()
    try:
        # status only looks, and need not wait until a build has ended.
        with contextlib.nullcontext() if command == "status" else lock.held(build):
            {"tree": trees.make, "export": trees.export, "status": trees.status,
             "series": trees.series}[command]()
    except Error as e:
        print("%s: error: %s" % (command, e), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("%s: interrupted" % command, file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
