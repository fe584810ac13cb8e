# SPDX-License-Identifier: GPL-2.0
"""The recipe that takes the kernel's own allocator out: base -> bare.

cma.recipe has the steps for every kernel, N.M.recipe those for Linux N.M that come
after them; a kernel newer than all has those of the newest. A recipe is a text
file. An unindented line is a step, '#' starts a comment:

    delete FILE...            the file goes
    undefine SYMBOL...        for the unifdef steps that follow
    unifdef [-B] FILE...      resolves #ifdef of the undefined symbols; with -B a
                              removed block takes a blank line beside it along
    drop FILE NAME...         C functions, variables, types, prototypes and macros
                              of these names, with the comment above them and
                              their EXPORT_SYMBOL
    kconfig FILE NAME...      the config entries of these names
    edit FILE                 the indented lines that follow replace whole lines,
                              '- old' by '+ new'. '--' ends one replacement and
                              starts the next; each must match exactly once. Old
                              lines are compared without the blanks around them,
                              '- ...' stands for any lines in between; new ones
                              are taken as they are.

A step which finds nothing to do is an error: a recipe must not rot. The others
are done all the same, so that one run tells all that does not fit.
"""

import os
import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from . import bases, csyntax
from .git import Error, Repo

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "bare"
Step = tuple[int, list[str], list[str]]		# line number, words, indented lines


class Recipe:
    """Works on {path: text or None}, filled through @read when first needed."""

    def __init__(self, read: Callable[[str], bytes | None], kernel: str) -> None:
        self.read = read
        self.kernel = kernel
        self.files: dict[str, str | None] = {}
        self.symbols: list[str] = []
        self.where = ""
        self.errors: list[str] = []

    def fail(self, text: str) -> None:
        raise Error("%s: %s (Linux %s)" % (self.where, text, self.kernel))

    def each(self, work: Callable[..., None], items: Iterable[Any], *args: Any) -> None:
        """work(item, *args) for each of @items; what fails is in self.errors."""
        for item in items:
            try:
                work(item, *args)
            except Error as e:
                if str(e) not in self.errors:
                    self.errors.append(str(e))

    def get(self, path: str) -> str:
        if path not in self.files:
            data = self.read(path)
            if data is None:
                self.fail("no such file: " + path)
            self.files[path] = data.decode("utf-8", "surrogateescape")
        if self.files[path] is None:
            self.fail("already deleted: " + path)
        return self.files[path]

    def put(self, path: str, text: str) -> None:
        if text == self.files[path]:
            self.fail("changes nothing in " + path)
        self.files[path] = text

    def _delete(self, path: str) -> None:
        self.get(path)
        self.files[path] = None

    def _unifdef(self, path: str, *flags: str) -> None:
        done = subprocess.run(
            ["unifdef", *("-U" + s for s in self.symbols), *flags], capture_output=True,
            input=self.get(path).encode("utf-8", "surrogateescape"))
        if done.returncode not in (0, 1):
            self.fail("unifdef %s: %s" % (path, done.stderr.decode()))
        self.put(path, done.stdout.decode("utf-8", "surrogateescape"))

    def _drop(self, name: str, path: str) -> None:
        text, count = csyntax.drop(self.get(path), name)
        if not count:
            self.fail("%s has no %s" % (path, name))
        self.put(path, text)

    def _kconfig(self, name: str, path: str) -> None:
        text, count = re.subn(
            r"^(?:menu)?config %s\n(?:[ \t]+[^\n]*\n|\n(?=[ \t\n]|\Z))*\n?"
            % re.escape(name), "", self.get(path), flags=re.M)
        if not count:
            self.fail("%s has no config %s" % (path, name))
        self.put(path, text)

    def _replace(self, edit: tuple[int, tuple[list[str], list[str]]], path: str) -> None:
        number, (old, new) = edit
        if not old:
            self.fail("replacement %d has no old line" % number)
        lines = self.get(path).split("\n")
        out, at, found = [], 0, 0
        while at < len(lines):
            end = _match(lines, at, old)
            if end is None:
                out.append(lines[at])
                at += 1
            else:
                found += 1
                out += new
                at = end
        if found != 1:
            self.fail("%s: replacement %d, '%s', matches %d times instead of once" % (
                path, number, old[0], found))
        self.put(path, "\n".join(out))

    def run(self, name: str, text: str) -> None:
        """All steps of the recipe @text, called @name in messages."""
        self.each(self._step, _steps(text), name)

    def _step(self, step: Step, name: str) -> None:
        number, words, lines = step
        self.where = "%s:%d" % (name, number)
        verb, *args = words
        if verb == "edit" and len(args) == 1 and lines:
            self.each(self._replace, enumerate(_edits(lines), 1), args[0])
            return
        args += " ".join(lines).split()
        match verb if args else "":
            case "delete":
                self.each(self._delete, args)
            case "undefine":
                self.symbols = args
            case "unifdef":
                flags = args[:1] if args[0] == "-B" else []
                self.each(self._unifdef, args[len(flags):], *flags)
            case "drop":
                self.each(self._drop, args[1:], args[0])
            case "kconfig":
                self.each(self._kconfig, args[1:], args[0])
            case _:
                self.fail("cannot make sense of '%s'" % " ".join(words))


def _steps(text: str) -> list[Step]:
    found: list[Step] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] in " \t":
            if found:
                found[-1][2].append(line.strip("\n"))
        else:
            found.append((number, line.split(), []))
    return found


def _edits(lines: list[str]) -> list[tuple[list[str], list[str]]]:
    """[(old lines, new lines)] of an edit step."""
    edits: list[tuple[list[str], list[str]]] = [([], [])]
    for line in lines:
        line = line.strip("\n").lstrip()
        if line == "--":
            edits.append(([], []))
        else:
            old = line.startswith("-")
            edits[-1][0 if old else 1].append(line[2:].strip() if old else line[2:])
    return edits


def _match(lines: list[str], at: int, old: list[str]) -> int | None:
    """End of the match of the lines @old at @at, or None."""
    for i, want in enumerate(old):
        if want == "...":
            rest = old[i + 1:]
            for end in range(at, len(lines)):
                stop = _match(lines, end, rest)
                if stop is not None:
                    return stop
            return None
        if at >= len(lines) or lines[at].strip() != want:
            return None
        at += 1
    return at


def key(version: str, recipe_folder: str | Path = FOLDER) -> str:
    """Everything `bare` depends on besides base, as one text."""
    paths = [HERE / "bare.py", HERE / "csyntax.py", *recipe_files(version, recipe_folder)]
    return "\0".join(text for path in paths for text in (path.name, path.read_text("utf-8")))


def recipe_files(version: str, folder: str | Path) -> list[Path]:
    """Those for a folder in versions/, or for the newest kernel."""
    return [Path(folder, name + ".recipe") for name in ("cma", version or bases.NEWEST)]


def make(repo: Repo, base: str, kernel: str, version: str,
         recipe_folder: str | Path = FOLDER) -> tuple[str, list[str]]:
    """The tree object of bare, made from the commit @base, and what went wrong."""
    def read(path: str) -> bytes | None:
        found = repo.entries(base, [path])
        return repo.read(found[path][1]) if path in found else None

    recipe = Recipe(read, kernel)
    for path in recipe_files(version, recipe_folder):
        recipe.run(os.path.relpath(path, FOLDER.parent), path.read_text("utf-8"))
    modes = repo.entries(base, list(recipe.files))
    changes = {path: None if text is None else (
        modes[path][0], repo.blob(text.encode("utf-8", "surrogateescape")))
        for path, text in recipe.files.items()}
    return repo.write_tree(repo.tree_of(base), changes), recipe.errors
