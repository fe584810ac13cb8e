# SPDX-License-Identifier: GPL-2.0
"""`<path>.diff`: a paragraph that says why, then an edit of one kernel file."""

import re

from .git import Entry, Error, Repo

CONTEXT = 2		# lines of it in a new edit
HUNK = re.compile(rb"^@@ -(\d+)", re.M)


def split(data: bytes) -> tuple[bytes, bytes]:
    """(text that says why, the edit itself)."""
    found = re.search(rb"^--- ", data, re.M)
    return (data[:found.start()], data[found.start():]) if found else (data, b"")


def hunks(edit: bytes) -> list[bytes]:
    return re.split(rb"^(?=@@ -)", edit, flags=re.M)[1:]


def changed_lines(data: bytes) -> list[bytes]:
    """The lines that the edit takes away (-) and brings (+)."""
    return [line for hunk in hunks(split(data)[1]) for line in hunk.split(b"\n")
            if line[:1] in (b"-", b"+")]


def is_same(one: bytes, other: bytes) -> bool:
    """Do these edits differ in the numbers of lines at most?"""
    def texts(data: bytes) -> list[bytes]:
        return [hunk.partition(b"\n")[2] for hunk in hunks(split(data)[1])]
    return texts(one) == texts(other)


def context(data: bytes) -> tuple[int, int]:
    """How many lines of context the hunks have: the most, and the fewest."""
    found = []
    for hunk in hunks(split(data)[1]):
        signs = b"".join(re.findall(rb"^[ +-]", hunk, re.M))
        found.append(max(len(signs) - len(signs.lstrip(b" ")),
                         len(signs) - len(signs.rstrip(b" ")), 1))
    return (max(found), min(found)) if found else (CONTEXT, CONTEXT)


def apply(repo: Repo, entry: Entry, path: str, name: str, data: bytes, kernel: str) -> Entry:
    """The (mode, blob) that the edit @data, called @name, makes of @entry.

    git apply without -C and --3way looks for the hunks at other lines, but
    insists on all of their context. Every hunk that does not fit is named.
    """
    _, edit = split(data)
    head = ("--- a/%s\n+++ b/%s\n" % (path, path)).encode()
    if not edit.startswith(head):
        raise Error("%s: is no edit of %s, or has no '--- a/%s' line" % (name, path, path))
    with repo.temp_index() as index:
        repo.run("update-index", "-z", "--index-info", index=index,
                 stdin=("%s %s\t%s\0" % (*entry, path)).encode())
        message = _try(repo, index, edit)
        if message:
            raise Error(_bad_hunks(repo, index, head, edit, path, name, kernel) or
                        "%s: does not apply to Linux %s: %s" % (name, kernel, message))
        listed = repo.out("ls-files", "-s", index=index).split("\n")
    if len(listed) != 1 or not listed[0].endswith("\t" + path):
        raise Error("%s: edits other files than %s" % (name, path))
    mode, blob = listed[0].split()[:2]
    return mode, blob


def _try(repo: Repo, index: str, edit: bytes) -> str:
    """Applies it to the file in @index; what git apply says if it cannot."""
    done = repo.run("apply", "--cached", "--whitespace=nowarn", "-", index=index,
                    stdin=edit, check=False)
    return done.stderr.decode().strip() if done.returncode else ""


def _bad_hunks(repo: Repo, index: str, head: bytes, edit: bytes, path: str, name: str,
               kernel: str) -> str:
    """A line for each hunk that does not fit after those before it which do."""
    found = hunks(edit)
    bad = []
    for number, hunk in enumerate(found, 1):
        message = _try(repo, index, head + hunk)
        if "patch failed:" in message:
            bad.append("%s: hunk %d of %d does not apply to %s of Linux %s (near line %s)" % (
                name, number, len(found), path, kernel, HUNK.match(hunk)[1].decode()))
        elif message:
            return ""		# no diff at all
    return "\n".join(bad)


def make(repo: Repo, bare: str, tree: str, path: str, lines: int) -> bytes:
    """The edit that makes @path of @bare that of @tree, with @lines of context."""
    text = repo.run("--literal-pathspecs", "diff", "--no-ext-diff", "--no-textconv",
                    "--no-renames", "--no-color", "-U%d" % lines, "--src-prefix=a/",
                    "--dst-prefix=b/", bare, tree, "--", path).stdout
    found = split(text)[1]
    if not found:
        raise Error("%s: an edit of a kernel file can change neither its mode nor "
                    "binary data" % path)
    return found
