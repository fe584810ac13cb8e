#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Makes the kernel tree and brings edits made in it back to the repository.

  tree     base -> bare -> cma in $BUILD/linux, ready to build
  export   edits in $BUILD/linux -> the repository
  status   each file as new (+), edited (~) or stripped (-), with changed lines
  series   the same as tree, then a patch series for git am in $BUILD/patches, verified,
           and the letter that goes ahead of it

BUILD: where the trees and objects live (default: build/ of the repository).
BASE:  6.12 unless told, or newest: the newest kernel that Debian has. All that is
       made from that one is in $BUILD/newest/ instead.
KSRC:  a tarball or an unpacked folder of that kernel; it is never modified.
       Without it a tree that is there is kept. A new one comes from Debian's
       linux-source-6.12, which is installed if need be. The newest one is fetched
       into $BUILD/newest/source; the system's packages stay as they are. Remove
       $BUILD/newest to have a newer one.

The exit status is 4 if no Debian mirror has the package of the newest kernel, and 1
if anything else goes wrong.
"""

import contextlib
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from lab import cli, lock
from measure import letter
from trees import bare, bases, debian, series, source
from trees.export import Export
from trees.git import Error, Repo
from trees.overlay import Overlay, Target, folder_of

EDIT_BUDGET = 60        # changed lines beyond which an edit wants its own file
UNAVAILABLE = 4         # exit status
TRYING = "the newest that is known; trying"


class Trees:
    """The kernel tree of a base, the repository, and what is known about both."""

    def __init__(self, top: str | Path, root: str | Path = bases.REPO,
                 recipe: Path = bare.FOLDER, steps: Path = series.FOLDER,
                 base: str = bases.BASE) -> None:
        self.top = os.path.abspath(top)
        self.build = bases.folder(self.top, base)
        self.root, self.recipe, self.steps, self.base = root, recipe, steps, base
        self.linux = str(self.build / "linux")
        self.repo = Repo(self.linux)
        self.state_file = Path(self.repo.gitdir, "cma-tree.json")

    def exists(self) -> bool:
        return os.path.isdir(self.repo.gitdir) and bool(self.repo.tag("base"))

    def need(self) -> None:
        if not self.exists() or not self.repo.tag("bare"):
            raise Error("there is no kernel tree in %s yet: run 'make tree%s'" % (
                self.linux, bases.option(self.base)))

    def state(self) -> dict[str, Any]:
        if not self.state_file.exists():
            return {}
        return json.loads(self.state_file.read_text("utf-8"))

    def save(self, **changes: Any) -> None:
        new = self.state_file.with_suffix(".new")
        new.write_text(json.dumps(self.state() | changes, indent=1), "utf-8")
        new.replace(self.state_file)

    def version(self) -> str:
        """The folder in versions/ that this base has, if any."""
        return bases.version_of(self.kernel(), self.root)

    def overlay(self) -> Overlay:
        return Overlay(self.root, self.top, self.version())

    def target(self, stripped: str) -> Target:
        return Target(self.repo, stripped, self.kernel(), self.overlay())

    def others(self) -> list[Target]:
        """The other bases whose trees are there."""
        found = [Trees(self.top, self.root, self.recipe, self.steps, base)
                 for base in bases.BASES if base != self.base]
        return [trees.target(trees.repo.tag("bare")) for trees in found
                if trees.exists() and trees.repo.tag("bare")]

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
            source.make_base(wanted["path"], self.linux, self.base, self.root)
            self.save(source=wanted)
        if bases.is_newer(self.kernel()):
            print("tree: Linux %s is newer than %s, %s" % (
                self.kernel(), bases.NEWEST, TRYING), flush=True)
        new_bare, problems = self._make_bare()
        target = self.target(new_bare)
        done, failed = target.apply()
        problems += [failed[path] for path in sorted(failed)]
        if problems:
            raise Error("\n".join(problems))
        tree = self.repo.write_tree(self.repo.tree_of(new_bare), done)
        snapshot, index = self._refuse_unexported(tree)
        commit = self.repo.commit(tree, [new_bare], "The contiguous memory allocator\n")
        count = len(self.repo.changes(snapshot, tree))
        self.repo.switch(snapshot, index, tree, commit)
        self.repo.set_tag("bare", new_bare)
        self.repo.set_tag("cma", commit)
        self.save(recipe=self._recipe_key(), overlay=_digest(target.overlay.key()))
        print("tree: Linux %s in %s, %d files written" % (self.kernel(), self.linux, count))

    def _source(self, state: dict[str, Any]) -> dict[str, Any] | None:
        """Fingerprint of the source to import, None to keep what is there."""
        asked = source.asked_for(self.build)
        if not self.exists():
            return source.fingerprint(asked or source.packaged(self.base, self.build))
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
        return _digest((bare.key(self.version(), self.recipe) +
                        self.repo.tag("base")).encode())

    def _up_to_date(self, state: dict[str, Any]) -> bool:
        cma = self.repo.tag("cma")
        return bool(cma and state.get("recipe") == self._recipe_key() and
                state.get("overlay") == _digest(self.overlay().key()) and
                self.repo.is_clean(cma))

    def _make_bare(self) -> tuple[str, list[str]]:
        """The commit, and the steps of the recipe that do not fit."""
        old = self.repo.tag("bare")
        if old and self.state().get("recipe") == self._recipe_key():
            return old, []
        base = self.repo.tag("base")
        tree, problems = bare.make(self.repo, base, self.kernel(), self.version(), self.recipe)
        return self.repo.commit(
            tree, [base], "Remove the contiguous memory allocator\n"), problems

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

    def _export(self, for_this: bool = False) -> Export:
        snapshot, _ = self.repo.snapshot()
        return Export(self.target(self.repo.tag("bare")), self.applied(), snapshot,
                      self.others(), for_this)

    def export(self, for_this: bool = False) -> None:
        """@for_this: for this base alone, see export.py."""
        self.need()
        plan = self._export(for_this)
        plan.write()
        for sign, names in (("wrote", plan.writes), ("removed", plan.removes)):
            for name in sorted(names):
                print("export: %s %s" % (sign, name))
        for name in plan.pending:
            print("export: left %s alone: make tree has not applied it yet" % name)
        for name in plan.todo:
            print("export: warning: %s does not say why" % name, file=sys.stderr)
        for name in plan.untried:
            print("export: warning: %s was not tried on the newest kernel, whose tree is "
                  "not there: make tree BASE=newest" % name, file=sys.stderr)
        for text in plan.broken:
            print("export: warning: %s" % text, file=sys.stderr)
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
        files, apart = self.overlay().files, folder_of(self.version())
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
                if not sign and files.get(path, ("", False))[0].startswith(apart):
                    notes.append("from " + apart.rstrip("/"))
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
        patches = self.build / "patches"
        names = series.generate(self.repo, self.overlay(), patches, self.steps,
                                letter.blocks(self.kernel(), Path(self.root)))
        for name in [patches / (series.LETTER + ".txt"), *names]:
            print(name)
        print("series: git am of these %d patches on Linux %s gives the tree"
              % (len(names), self.kernel()))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def main(argv: list[str] | None = None) -> int:
    parser = cli.parser(__doc__)
    parser.add_argument("command", choices=["tree", "export", "status", "series"])
    parser.add_argument("--for", dest="for_this", choices=["this"],
                        help="export: what has changed is for this kernel alone")
    opts = parser.parse_args(argv)
    if opts.for_this and opts.command != "export":
        parser.error("FOR=this is for export alone")
    command, trees = opts.command, Trees(bases.TOP)
    try:
        # status only looks, and need not wait until a build has ended.
        with contextlib.nullcontext() if command == "status" else lock.held(bases.TOP):
            {"tree": trees.make, "export": lambda: trees.export(bool(opts.for_this)),
             "status": trees.status, "series": trees.series}[command]()
    except debian.Unavailable as e:
        print("%s: %s" % (command, e), file=sys.stderr)
        return UNAVAILABLE
    except Error as e:
        print("%s: error: %s" % (command, e), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("%s: interrupted" % command, file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    cli.run(main)
