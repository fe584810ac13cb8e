# SPDX-License-Identifier: GPL-2.0
"""Where the kernel source comes from, and how it becomes the tree `base`."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from . import bases, debian
from .git import Error, Repo

PACKAGE = "linux-source-6.12"
TARBALL = "/usr/src/%s.tar.xz" % PACKAGE
NEWEST = re.compile(r"linux-source-(\d+\.\d+)")
SUITE = "trixie-backports"


def version(makefile: str) -> str | None:
    """'6.12.117' from the text of the kernel's top Makefile."""
    found = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL)\s*=\s*(\d+)\s*$", makefile, re.M))
    try:
        return "%(VERSION)s.%(PATCHLEVEL)s.%(SUBLEVEL)s" % found
    except KeyError:
        return None


def packaged(base: str, build: Path) -> str:
    """Debian's source of @base, installed or fetched if need be."""
    if base == "newest":
        return newest(build / "source")
    if not os.path.exists(TARBALL):
        install()
    return TARBALL


def newest(folder: Path) -> str:
    """The source of the newest kernel that Debian has, fetched once into @folder."""
    tarballs = list(folder.glob("linux-source-*.tar.xz"))
    if not tarballs:
        with debian.suite(SUITE) as suite:
            tarballs = [fetch(suite, folder)]
    return str(tarballs[0])


def fetch(suite: debian.Suite, folder: Path) -> Path:
    """The tarball of the newest kernel in @suite, in the new folder @folder."""
    names = list(filter(NEWEST.fullmatch, suite.packages("linux-source-")))
    if not names:
        raise debian.Unavailable("%s of %s has no package linux-source-N.M" % (
            SUITE, debian.mirror()))
    package = max(names, key=lambda name: bases.number(NEWEST.fullmatch(name)[1]))
    print("tree: fetching the package %s of %s" % (package, SUITE), flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as new:
        suite.unpack(package, Path(new))
        shutil.rmtree(folder, ignore_errors=True)
        Path(new, "usr/src").rename(folder)
    tarball = folder / (package + ".tar.xz")
    if not tarball.exists():
        raise Error("the package %s did not bring %s" % (package, tarball.name))
    return tarball


def asked_for(build: Path) -> str | None:
    """What KSRC= says, if anything; it cannot be the tree we make ourselves."""
    ksrc = os.environ.get("KSRC")
    if not ksrc:
        return None
    if not os.path.exists(ksrc):
        raise Error("KSRC=%s: no such file or folder" % ksrc)
    found, made = Path(ksrc).resolve(), build.resolve()
    if found.is_dir() and made.is_relative_to(found):
        raise Error("KSRC=%s holds the folder %s which it would be copied to" % (found, made))
    if found.is_relative_to(made / "linux"):
        raise Error("KSRC=%s is the tree that is made from it" % found)
    return str(found)


def install() -> None:
    root = [] if os.geteuid() == 0 else ["sudo"]
    if root and not shutil.which("sudo"):
        raise Error("%s is not there and installing it needs root or sudo; "
                    "or give a source with KSRC=" % TARBALL)
    print("tree: installing the package %s" % PACKAGE, flush=True)
    for args in (["update", "-q"],
                 ["install", "-q", "-y", "--no-install-recommends", PACKAGE]):
        done = subprocess.run(root + ["apt-get"] + args, capture_output=True,
                              text=True, env=os.environ | {
                                  "DEBIAN_FRONTEND": "noninteractive"})
        # An update may fail for one mirror of many; the install decides.
        if done.returncode and args[0] == "install":
            raise Error("apt-get install %s failed:\n%s" % (PACKAGE, done.stderr))
    if not os.path.exists(TARBALL):
        raise Error("the package %s did not bring %s" % (PACKAGE, TARBALL))


def fingerprint(path: str, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """What identifies the source at @path.

    @known: an earlier fingerprint; spares reading a tarball that was not touched.
    """
    if os.path.isdir(path):
        digest = hashlib.sha256()
        for folder, dirs, files in os.walk(path):
            if ".git" in dirs:
                dirs.remove(".git")
            dirs.sort()
            for name in sorted(files):
                full = os.path.join(folder, name)
                st = os.lstat(full)
                digest.update(b"%s %d %d\n" % (os.fsencode(os.path.relpath(full, path)),
                                              st.st_size, st.st_mtime_ns))
        return {"path": path, "stat": None, "digest": digest.hexdigest()}
    st = os.stat(path)
    stat = [st.st_size, st.st_mtime_ns]
    if known and known["path"] == path and known["stat"] == stat:
        return known
    with open(path, "rb") as f:
        digest = hashlib.file_digest(f, "sha256")
    return {"path": path, "stat": stat, "digest": digest.hexdigest()}


def unpack(path: str, into: str) -> None:
    """The source at @path, copied to the new folder @into."""
    if os.path.isdir(path):
        for built in (".config", "include/config", "include/generated"):
            if os.path.exists(os.path.join(path, built)):
                raise Error("%s was built in (it has %s): run 'make mrproper' there"
                            % (path, built))
        shutil.copytree(path, into, symlinks=True,
                        ignore=lambda d, names: {".git"} & set(names))
        return
    tmp = into + ".unpack"
    shutil.rmtree(tmp, ignore_errors=True)
    os.makedirs(tmp)
    done = subprocess.run(["tar", "-xf", path, "-C", tmp], capture_output=True,
                          text=True, env=os.environ | {"XZ_OPT": "-T0"})
    tops = os.listdir(tmp)
    if done.returncode or not tops:
        raise Error("cannot unpack %s:\n%s" % (path, done.stderr))
    if len(tops) == 1:
        os.rename(os.path.join(tmp, tops[0]), into)
        os.rmdir(tmp)
    else:
        os.rename(tmp, into)


def kernel_in(folder: str, path: str) -> str:
    """The version of the kernel in @folder, which is the source at @path."""
    makefile = Path(folder, "Makefile")
    found = makefile.is_file() and version(makefile.read_text("utf-8", "replace"))
    if not found:
        raise Error("%s is not a kernel source: it has no top Makefile with a version" % path)
    return found


def show_gitignored(folder: str) -> None:
    """Debian's .gitignore hides everything but debian/; drop these two lines."""
    path = Path(folder, ".gitignore")
    if path.exists():
        text = re.sub(r"^(?:/\*|!/debian/)(?:\n|\Z)", "", path.read_text("utf-8"), flags=re.M)
        path.write_text(text, "utf-8")


def make_base(path: str, linux: str, base: str, root: str | Path) -> None:
    """The source at @path -> git repository @linux with the tag base.

    Fails unless it can be @base for the repository at @root. Everything happens
    beside @linux, which is replaced in one step at the end.
    """
    new = linux + ".new"
    shutil.rmtree(new, ignore_errors=True)
    print("tree: unpacking %s" % path, flush=True)
    try:
        unpack(path, new)
        found = kernel_in(new, path)
        bases.check(found, base, root, path)
        print("tree: importing Linux %s" % found, flush=True)
        show_gitignored(new)
        repo = Repo(new)
        repo.init()
        repo.run("add", "-f", "-A")
        commit = repo.commit(repo.out("write-tree"), [],
                             "Linux %s\n\nThe source as it was unpacked; only the lines of "
                             ".gitignore that\nhide everything from git are gone.\n" % found)
        repo.set_tag("base", commit)
        repo.run("update-ref", "refs/heads/main", commit)
        old = linux + ".old"
        shutil.rmtree(old, ignore_errors=True)
        if os.path.exists(linux):
            os.rename(linux, old)
        os.rename(new, linux)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(new + ".unpack", ignore_errors=True)
