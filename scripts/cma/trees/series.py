# SPDX-License-Identifier: GPL-2.0
"""The patch series: base -> bare -> step by step -> cma, for git am.

0000-cover.msg is the letter that goes ahead of the patches: its subject, then what
it says. @NAME@ in it stands for what depends on the kernel, figures among it; git
adds the list of the patches. It becomes 0000-cover-letter.txt, for `git am *.patch`
stops at a letter.

A step is a file NNNN-name.msg: the commit message, a line `Paths:`, then patterns
of kernel paths, one a line. A pattern that ends in / takes the folder, one that
begins with ! leaves out what those above it take. Each file of ours belongs to
exactly one step, and each pattern matches a file, if only one for another kernel;
a step that has files for other kernels alone is left out. The order has to let
each step build.
"""

import fnmatch
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from .git import DATE, Error, Repo
from .overlay import Overlay

FOLDER = Path(__file__).resolve().parents[1] / "series"
FIRST = "bare.msg"
COVER = "0000-cover.msg"
LETTER = "0000-cover-letter"		# git's name for it, and ours
NAME = re.compile(r"@(\w+)@")
CREATED = re.compile(r"^ (?:create|delete) mode \d+ .*\n", re.M)
Step = tuple[str, str, list[str]]		# name, message, patterns


def read_steps(folder: Path = FOLDER) -> tuple[str, list[Step]]:
    """(message of the first step, [(name, message, patterns)])."""
    steps = []
    for path in sorted(set(folder.glob("*.msg")) - {folder / COVER}):
        message, _, patterns = path.read_text("utf-8").partition("\nPaths:\n")
        steps.append((path.name, message.strip() + "\n", patterns.split()))
    first = [m for name, m, _ in steps if name.endswith(FIRST)]
    if len(first) != 1 or not steps[0][0].endswith(FIRST):
        raise Error("%s: the first step must be NNNN-%s" % (folder, FIRST))
    return first[0], steps[1:]


def assign(paths: Iterable[str], steps: list[Step],
           everywhere: Collection[str] = ()) -> list[list[str]]:
    """[[paths of the step]]; every path belongs to exactly one of @steps.

    @everywhere: the paths for other kernels, too.
    """
    known = set(paths).union(everywhere)
    taken: list[list[str]] = [[] for _ in steps]
    errors = ["%s: %s is the name of no file" % (name, pattern)
              for name, _, patterns in steps for pattern in patterns
              if not any(matches(pattern.removeprefix("!"), p) for p in known)]
    for path in sorted(paths):
        owners = [i for i, (_, _, patterns) in enumerate(steps) if takes(patterns, path)]
        if len(owners) == 1:
            taken[owners[0]].append(path)
        else:
            errors.append("%s belongs to %s" % (
                path, " and ".join(steps[i][0] for i in owners) or "no step"))
    errors += ["%s takes no file" % name for name, _, patterns in steps
               if not any(takes(patterns, p) for p in known)]
    if errors:
        raise Error("series: each file belongs to exactly one step, but\n" + "\n".join(errors))
    return taken


def matches(pattern: str, path: str) -> bool:
    if pattern.endswith("/"):
        return path.startswith(pattern)
    return fnmatch.fnmatchcase(path, pattern)


def takes(patterns: Iterable[str], path: str) -> bool:
    """The last of @patterns that matches decides."""
    found = False
    for pattern in patterns:
        plain = pattern.removeprefix("!")
        if matches(plain, path):
            found = plain == pattern
    return found


def identity(root: str | Path) -> dict[str, str]:
    """Who signs: the user of the repository at @root, as git knows him."""
    me = Repo(root)
    for name in "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM":
        del me.env[name]
    name, mail = (me.run("config", "--get", key, check=False).stdout.decode().strip()
                  for key in ("user.name", "user.email"))
    if not name or not mail:
        name, mail = "CMA developers", "cma@localhost"
    return {"GIT_%s_%s" % (who, what): value for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", name), ("EMAIL", mail))}


def read_cover(folder: Path, blocks: Mapping[str, Callable[[], str]]) -> tuple[str, str]:
    """(subject, text) of the letter, with what is true of this kernel in it."""
    path = folder / COVER
    text = path.read_text("utf-8")
    unknown = sorted(set(NAME.findall(text)) - set(blocks))
    if unknown:
        raise Error("%s: nothing is known as %s" % (
            path, ", ".join("@%s@" % name for name in unknown)))
    subject, _, said = NAME.sub(lambda m: blocks[m[1]](), text).partition("\n\n")
    return subject, said.strip()


def write_cover(patches: Path, subject: str, said: str) -> None:
    """Puts these into the letter that git has made, which lists new files twice."""
    made = patches / (LETTER + ".patch")
    text = CREATED.sub("", made.read_text("utf-8"))
    for blank, ours in (("*** SUBJECT HERE ***", subject), ("*** BLURB HERE ***", said)):
        if text.count(blank) != 1:
            raise Error("series: the letter of git format-patch has no %s" % blank)
        text = text.replace(blank, ours)
    made.with_suffix(".txt").write_text(text, "utf-8")
    made.unlink()


def generate(repo: Repo, overlay: Overlay, patches: Path, folder: Path,
             blocks: Mapping[str, Callable[[], str]]) -> list[str]:
    """Writes the series to the folder @patches and verifies it; the names of the
    patches. @blocks: what @NAME@ in the letter stands for."""
    first, steps = read_steps(folder)
    letter = read_cover(folder, blocks)
    base, bare, cma = (repo.tag(t) for t in ("base", "bare", "cma"))
    signed = Repo(repo.path, identity(overlay.root))
    changes = repo.changes(bare, cma)
    taken = assign(changes, steps, overlay.everywhere())

    tree = repo.tree_of(bare)
    tip = signed.commit(tree, [base], first)
    for (_, message, _), paths in zip(steps, taken):
        if not paths:
            continue
        tree = repo.write_tree(tree, {p: changes[p][3:5] for p in paths})
        tip = signed.commit(tree, [tip], message)
    if tree != repo.tree_of(cma):
        raise Error("series: the steps do not add up to cma")

    for old in patches.glob("*.patch"):
        old.unlink()
    signed.run("format-patch", "-q", "-s", "--no-signature", "--no-renames",
               "--cover-letter", "--base=" + base, "-o", str(patches), "%s..%s" % (base, tip))
    write_cover(patches, *letter)
    names = sorted(map(str, patches.glob("*.patch")))
    verify(repo, names, base, cma, patches.with_suffix(".verify"))
    return names


def verify(repo: Repo, names: list[str], base: str, cma: str, where: Path) -> None:
    """git am of the patches @names on @base gives exactly @cma.

    The work tree for it is complete, but only what differs is written to disk.
    """
    cleanup(repo, where)
    sparse = ("-c", "core.sparseCheckout=true", "-c", "core.sparseCheckoutCone=false")
    try:
        repo.run("worktree", "add", "-q", "--no-checkout", "--detach", str(where), base)
        tree = Repo(where, {"GIT_COMMITTER_DATE": DATE})
        info = Path(tree.out("rev-parse", "--absolute-git-dir"), "info")
        info.mkdir(exist_ok=True)
        (info / "sparse-checkout").write_text(
            "".join("/%s\n" % path for path in repo.changes(base, cma)), "utf-8")
        tree.run(*sparse, "read-tree", "-m", "-u", "HEAD")
        done = tree.run(*sparse, "am", "-q", *names, check=False)
        if done.returncode:
            raise Error("series: git am failed:\n" + done.stderr.decode())
        done = tree.run("diff", "--exit-code", "--stat", cma, "HEAD", check=False)
        if done.returncode:
            raise Error("series: git am does not give cma:\n" + done.stdout.decode())
    finally:
        cleanup(repo, where)


def cleanup(repo: Repo, where: Path) -> None:
    if where.exists():
        shutil.rmtree(where)
    repo.run("worktree", "prune")
