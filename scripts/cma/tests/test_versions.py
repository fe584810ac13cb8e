# SPDX-License-Identifier: GPL-2.0
"""Two kernels from one repository: the top, and versions/ for an older one."""

import contextlib
import io
import os
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

import tree
from tests.case import Case, write
from tests.test_tree import NUMBERED, PAGE_DIFF, RECIPE, STEPS, TreeCase
from trees import bases, debian, edits, overlay, source
from trees.git import Error

HERE = Path(__file__).resolve().parents[1]

# Edits of the same lines that two kernels have to have apart, and why.
TWICE: dict[str, str] = {}

# The older kernel has another line 12 and no line 50, and one file less.
OLD_PAGE = NUMBERED.replace("line 12\n", "line twelve\n").replace("line 50\n", "")
MAKEFILE = "VERSION = %s\nPATCHLEVEL = %s\nSUBLEVEL = %s\n"
ONE_LINE = """Why.

--- a/mm/page.c
+++ b/mm/page.c
@@ -10,2 +10,3 @@ line 9
 line 10
+line 10 and a half
 line 11
"""


def twice(files):
    """[name in versions/ of what says the same as the top does]."""
    found = []
    for version in files.versions.values():
        for path, (name, edit) in version.items():
            top, is_edit = files.top.get(path, (None, edit))
            if top and edit == is_edit:
                both = [files.read(n) for n in (name, top)]
                if both[0] == both[1] or edit and \
                        edits.changed_lines(both[0][1]) == edits.changed_lines(both[1][1]):
                    found.append(name)
    return sorted(found)


class Twice(Case):
    """Nothing is stored twice: what differs in context alone gets less of it."""

    def test_of_the_repository(self):
        self.assertEqual(twice(overlay.Overlay(bases.REPO, bases.TOP)), sorted(TWICE))

    def test_it_is_found(self):
        root = self.folder({
            "mm/a.c": "a\n", "mm/b.c": "b\n", "mm/page.c.diff": ONE_LINE,
            "mm/more.c.diff": ONE_LINE, "versions/6.12/mm/a.c": "a\n",
            "versions/6.12/mm/b.c": "c\n", "versions/6.12/mm/c.c": "c\n",
            "versions/6.12/mm/page.c.diff": PAGE_DIFF,
            "versions/6.12/mm/more.c.diff": ONE_LINE.replace("half", "third")})
        self.assertEqual(twice(overlay.Overlay(root)), [
            "versions/6.12/mm/a.c", "versions/6.12/mm/page.c.diff"])


class Environment(Case):
    def bases(self, **env):
        """What a script says that is run with @env."""
        done = subprocess.run(
            [sys.executable, "-B", "-c", "from trees import bases as b\n"
             "print(b.TOP, b.BUILD, b.VERSION)"], cwd=HERE, text=True, capture_output=True,
            env={k: v for k, v in os.environ.items() if k != "BASE"} | {"BUILD": "/b"} | env)
        return done.returncode, done.stdout + done.stderr

    def test_what_depends_on_the_kernel_lies_apart(self):
        for env, output in (({}, "/b /b 6.12\n"), ({"BASE": ""}, "/b /b 6.12\n"),
                            ({"BASE": "6.12"}, "/b /b 6.12\n"),
                            ({"BASE": "newest"}, "/b /b/newest \n")):
            self.assertEqual(self.bases(**env), (0, output))

    def test_other_names(self):
        self.assertEqual(self.bases(BASE="7.3"), (1, "BASE=7.3: it can be 6.12 or newest\n"))

    def test_make_has_the_same_names(self):
        said = "filter %s,$(BASE)" % " ".join(bases.BASES)
        self.assertIn(said, (bases.REPO / "Makefile").read_text())

    def test_packages(self):
        """deps.sh asks for no kernel's source that is not used."""
        tmp = self.folder({name: f"#!/bin/sh\nexit {status}\n" for name, status in (
            ("dpkg-query", 1), ("apt-get", 0), ("sudo", 0), ("env", 0))})
        for env, wanted in (({}, True), ({"BASE": "6.12"}, True),
                            ({"BASE": "newest"}, False), ({"KSRC": "x"}, False)):
            done = subprocess.run(
                [HERE / "deps.sh", "tree"], text=True, capture_output=True, check=True,
                env={"PATH": f"{tmp}:/usr/bin:/bin"} | env)
            self.assertEqual("linux-source-6.12" in done.stdout, wanted, env)


class Fetching(Case):
    def setUp(self):
        self.target = self.folder() / "newest/source"
        self.names = ["linux-source", "linux-source-7.3", "linux-source-7.10",
                      "linux-source-7.11-rc", "linux-source-6.18"]
        self.suite = mock.Mock(spec=debian.Suite, unpack=self.unpack,
                               packages=lambda start: self.names)

    def unpack(self, package, folder):
        write(folder, {"usr/src/%s.tar.xz" % package: package, "usr/share/doc/x": "x"})

    def fetch(self):
        with mock.patch("trees.debian.suite", lambda name: contextlib.nullcontext(
                self.suite)), mock.patch("trees.debian.mirror", lambda: "http://mirror/"), \
                contextlib.redirect_stdout(io.StringIO()):
            return source.packaged("newest", self.target.parent)

    def test_the_highest_number_once(self):
        self.assertEqual(self.fetch(), str(self.target / "linux-source-7.10.tar.xz"))
        self.assertEqual(os.listdir(self.target), ["linux-source-7.10.tar.xz"])
        self.assertEqual(os.listdir(self.target.parent), ["source"])
        self.suite = None
        self.assertEqual(self.fetch(), str(self.target / "linux-source-7.10.tar.xz"))

    def test_none_is_to_be_had(self):
        self.names = ["linux-source"]
        with self.assertRaisesRegex(debian.Unavailable, "backports of http://mirror/ has no"):
            self.fetch()
        with mock.patch("tree.Trees.make", self.fetch), \
                mock.patch("lab.lock.held", lambda top: contextlib.nullcontext()), \
                contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(tree.main(["tree"]), tree.UNAVAILABLE)
        self.assertRegex(said.getvalue(), r"\Atree: .* has no package linux-source-N.M\n\Z")

    def test_a_package_without_a_source(self):
        self.unpack = self.suite.unpack = lambda package, folder: write(
            folder, {"usr/src/other": ""})
        with self.assertRaisesRegex(Error, "did not bring linux-source-7.10.tar.xz"):
            self.fetch()


class VersionsCase(TreeCase):
    """Gives the sources of two kernels."""

    def setUp(self):
        super().setUp()
        self.newer = self.top / "newer"
        write(self.newer, {
            "Makefile": MAKEFILE % (7, 3, 4), "mm/Makefile": "obj-y += page.o\nobj-y += old.o\n",
            "mm/old.c": "old\n", "mm/page.c": NUMBERED, "mm/twice.c": "same\n" * 9,
            "mm/only.c": "only\n", "include/linux/cma.h": "old interface\n"})
        write(self.source, {"mm/page.c": OLD_PAGE})

    def run_it(self, command, base="6.12", **kw):
        self.use(self.newer if base == "newest" else self.source)
        return super().run_it(command, base, **kw)

    def use(self, folder):
        os.environ["KSRC"] = str(folder)

    def repository(self, *names):
        write(self.root, dict(names))

    def edit(self, name, old, new, base="6.12"):
        text = self.text(name, base)
        self.assertIn(old, text)
        write(self.at("", base), {name: text.replace(old, new)})


class Sources(VersionsCase):
    """Which kernel can be which base."""

    def test_the_wrong_base(self):
        self.use(self.newer)
        for kernel, base, said in (
                ((7, 3, 4), "6.12", "is Linux 7.3.4: add BASE=newest"),
                ((7, 4, 1), "6.12", "is Linux 7.4.1: add BASE=newest"),
                ((6, 12, 9), "newest", "is Linux 6.12.9: leave out BASE=newest"),
                *(((7, 2, 1), base, "Linux 7.2.1 is not supported; 6.12.y and 7.3 or newer are")
                  for base in bases.BASES)):
            write(self.newer, {"Makefile": MAKEFILE % kernel})
            with self.assertRaisesRegex(Error, said):
                TreeCase.run_it(self, "tree", base)
            self.assertFalse(self.at("", base).exists())

    def test_each_has_its_place(self):
        self.repository(("mm/page.c.diff", ONE_LINE))
        self.assertIn("Linux 6.12.7", self.run_it("tree"))
        self.assertNotIn("trying", self.run_it("tree", "newest"))
        for base, sublevel in ("6.12", 7), ("newest", 4):
            self.assertIn("SUBLEVEL = %d" % sublevel, self.text("Makefile", base))
            self.assertIn("half\n", self.text("mm/page.c", base))
            self.assertIn("up to date", self.run_it("tree", base))
        self.assertEqual(set(os.listdir(self.build)),
                         {"linux", "newest", ".lock"})

    def test_a_kernel_that_nobody_knows(self):
        self.repository(("mm/page.c.diff", ONE_LINE))
        write(self.newer, {"Makefile": MAKEFILE % (7, 10, 0)})
        self.assertIn("Linux 7.10.0 is newer than 7.3, the newest that is known; trying",
                      self.run_it("tree", "newest"))

    def test_all_that_does_not_fit_is_named(self):
        write(self.recipe, {
            "cma.recipe": RECIPE + "delete mm/gone.c\ndrop mm/old.c one\n",
            "7.3.recipe": "drop mm/page.c two three\nedit mm/twice.c\n\t- other\n\t--\n"
                          "\t- more\nkconfig mm/Makefile X\n"})
        self.repository(
            ("mm/page.c.diff", PAGE_DIFF + "@@ -20,1 +21,2 @@\n line 99\n+x\n"
             "@@ -30,2 +32,3 @@\n line 30\n+y\n line 31\n@@ -40,1 +43,2 @@\n line 98\n+z\n"),
            ("mm/none.c.diff", PAGE_DIFF.replace("page.c", "none.c")))
        said = self.fails("tree", "newest")
        for one in ("cma.recipe:4: no such file: mm/gone.c (Linux 7.3.4)",
                    "cma.recipe:5: already deleted: mm/old.c",
                    "7.3.recipe:1: mm/page.c has no two", "7.3.recipe:1: mm/page.c has no three",
                    "7.3.recipe:2: mm/twice.c: replacement 1, 'other', matches 0 times",
                    "7.3.recipe:2: mm/twice.c: replacement 2, 'more', matches 0 times",
                    "7.3.recipe:6: mm/Makefile has no config X",
                    "mm/none.c.diff: Linux 7.3.4 has no mm/none.c to edit",
                    "mm/page.c.diff: hunk 2 of 4 does not apply to mm/page.c of Linux 7.3.4 "
                    "(near line 20)", "mm/page.c.diff: hunk 4 of 4 does not"):
            self.assertIn(one, said)
        self.assertEqual(len(said.splitlines()), 10, said)


class Making(VersionsCase):
    """versions/6.12 before the top."""

    def test_it_overrides(self):
        self.repository(
            ("mm/page.c.diff", PAGE_DIFF),
            ("versions/6.12/mm/page.c.diff", ONE_LINE.replace("half", "third")),
            ("versions/6.12/mm/cma/range.c", "older\n"), ("versions/6.12/mm/cma/own.h", "own\n"),
            ("mm/only.c.diff", "Why.\n\n--- a/mm/only.c\n+++ b/mm/only.c\n"
             "@@ -1 +1,2 @@\n only\n+more\n"), ("mm/cma/new.c", "new\n"),
            ("versions/6.12/absent", "# Why.\nmm/only.c\nmm/cma/new.c\n"))
        self.run_it("tree")
        self.run_it("tree", "newest")
        for name, older, newest in (
                ("mm/cma/range.c", "older\n", "range\n"), ("mm/cma/own.h", "own\n", None),
                ("mm/cma/new.c", None, "new\n"), ("mm/only.c", None, "only\nmore\n")):
            for base, text in ("6.12", older), ("newest", newest):
                path = self.at(name, base)
                self.assertEqual(path.read_text() if path.exists() else None, text)
        self.assertIn("third\n", self.text("mm/page.c"))
        self.assertIn("half\n", self.text("mm/page.c", "newest"))
        self.assertFalse(self.at("versions", "newest").exists())

    def test_lists_and_names_that_say_nothing(self):
        for files, message in (
                ({"absent": "mm/none.c\n"}, "absent: the repository has nothing for mm/none.c"),
                ({"absent": "mm/cma/range.c\n", "mm/cma/range.c": ""}, "both versions/6.12/absent"),
                ({"mm/page.c": "", "mm/page.c.diff": ""}, "both versions/6.12/mm/page.c and"),
                ({"README.md": ""}, "versions/6.12/README.md: the repository keeps"),
                ({"Kconfig": ""}, "versions/6.12/Kconfig: the repository keeps")):
            folder = self.root / "versions/6.12"
            write(folder, files)
            self.assertIn(message, self.fails("tree"))
            for name in files:
                (folder / name).unlink()

    def test_status(self):
        self.repository(("versions/6.12/mm/page.c.diff", ONE_LINE),
                        ("versions/6.12/mm/cma/own.h", "own\n"))
        self.run_it("tree")
        self.edit("mm/cma/own.h", "own", "mine")
        lines = [" ".join(l.split()) for l in self.run_it("status").splitlines()]
        self.assertIn("~ mm/page.c +1 -0 ! from versions/6.12", lines)
        self.assertIn("+ mm/cma/own.h +1 -0 ! from versions/6.12, not exported", lines)
        self.assertIn("+ mm/cma/range.c +1 -0", lines)

    def test_series(self):
        self.repository(("versions/6.12/mm/page.c.diff", ONE_LINE),
                        ("versions/6.12/fs/own.c", "own\n"), ("lib/new.c", "new\n"),
                        ("versions/6.12/absent", "lib/new.c\n"))
        write(self.steps, {
            "0040-old.msg": "fs: old\n\nOld.\n\nPaths:\nfs/own.c\n",
            "0050-new.msg": "lib: new\n\nNew.\n\nPaths:\nlib/\n"})
        for base, name in ("6.12", "fs-old"), ("newest", "lib-new"):
            self.assertIn("these 4 patches", self.run_it("series", base))
            patches = sorted(os.listdir(self.at("../patches", base)))
            self.assertEqual(patches[4], "0004-%s.patch" % name)
        write(self.steps, {
            "0020-new.msg": STEPS["0020-new.msg"] + "mm/none.c\n"})
        self.assertIn("mm/none.c is the name of no file", self.fails("series"))


class Exporting(VersionsCase):
    def setUp(self):
        super().setUp()
        self.repository(("mm/page.c.diff", ONE_LINE))

    def make(self, *bases_):
        for base in bases_:
            self.run_it("tree", base)

    def test_nothing_changed(self):
        self.repository(("versions/6.12/mm/twice.c.diff",
                         "Why.\n\n--- a/mm/twice.c\n+++ b/mm/twice.c\n"
                         "@@ -8,2 +8,3 @@ same\n same\n same\n+more\n"))
        self.make("6.12", "newest")
        before = self.in_repository("mm/page.c.diff")
        for base in bases.BASES:
            self.assertIn("nothing to do", self.run_it("export", base))
        self.assertEqual(self.in_repository("mm/page.c.diff"), before)

    def test_edits_keep_their_form(self):
        """Lines that are the same may be cut in several ways."""
        cut = ("Why.\n\n--- a/mm/twice.c\n+++ b/mm/twice.c\n"
               "@@ -5,2 +5,3 @@ same\n same\n+same\n same\n")
        self.repository(("mm/twice.c.diff", cut))
        self.make(*bases.BASES)
        for base in bases.BASES:
            self.assertIn("nothing to do", self.run_it("export", base))
        self.assertEqual(self.in_repository("mm/twice.c.diff"), cut)

    def test_the_newest_has_the_numbers_of_lines(self):
        self.repository(("mm/page.c.diff", ONE_LINE.replace("-10,2 +10,3", "-8,2 +8,3")))
        self.make(*bases.BASES)
        self.assertIn("nothing to do", self.run_it("export"))
        self.assertIn("wrote mm/page.c.diff", self.run_it("export", "newest"))
        self.assertEqual(self.in_repository("mm/page.c.diff"), ONE_LINE)

    def test_what_is_apart_stays_apart(self):
        self.repository(("versions/6.12/mm/page.c.diff", ONE_LINE),
                        ("versions/6.12/mm/cma/range.c", "older\n"))
        self.make("6.12")
        self.edit("mm/page.c", "half", "third")
        self.edit("mm/cma/range.c", "older", "oldest")
        self.run_it("export")
        self.assertEqual(self.in_repository("versions/6.12/mm/page.c.diff"),
                         ONE_LINE.replace("half", "third"))
        self.assertEqual(self.in_repository("versions/6.12/mm/cma/range.c"), "oldest\n")
        self.assertEqual(self.in_repository("mm/page.c.diff"), ONE_LINE)
        self.assertEqual(self.in_repository("mm/cma/range.c"), "range\n")

    def test_the_rest_goes_to_the_top(self):
        self.make("6.12", "newest")
        self.edit("mm/page.c", "half", "third")
        self.edit("mm/page.c", "line 55\n", "line 55\nnew\n")
        self.edit("mm/cma/range.c", "range", "range 2")
        write(self.linux, {"mm/cma/more.c": "more\n"})
        self.run_it("export")
        # With the numbers of the newest kernel, and one line of context.
        self.assertEqual(self.in_repository("mm/page.c.diff"),
                         ONE_LINE.replace("half", "third")
                         + "@@ -55,2 +56,3 @@ line 54\n line 55\n+new\n line 56\n")
        self.assertEqual(self.in_repository("mm/cma/range.c"), "range 2\n")
        self.assertEqual(self.in_repository("mm/cma/more.c"), "more\n")
        self.assertFalse(self.has("versions/6.12/mm"))
        self.make("newest")
        self.assertIn("new\n", self.text("mm/page.c", "newest"))
        for base in bases.BASES:
            self.assertIn("nothing to do", self.run_it("export", base))

    def test_hunks_of_more_context_than_others(self):
        """If all have the most, one does not fit any more."""
        more = ("@@ -40,4 +41,5 @@ line 39\n line 40\n line 41\n+half\n line 42\n line 43\n")
        for base in bases.BASES:
            self.repository(("mm/page.c.diff", ONE_LINE + more))
            self.make(*bases.BASES)
            self.edit("mm/page.c", "half\nline 42\n", "third\nline 42\n", base)
            self.assertNotIn("warning", self.run_it("export", base))
            self.assertEqual(self.in_repository("mm/page.c.diff"),
                             ONE_LINE + "@@ -41,2 +42,3 @@ line 40\n line 41\n+third\n line 42\n")
            self.make(*bases.BASES)

    def test_without_the_tree_of_the_newest(self):
        self.make("6.12")
        self.edit("mm/page.c", "half", "third")
        self.assertIn("mm/page.c.diff was not tried on the newest kernel",
                      self.run_it("export"))
        self.assertIn("third", self.in_repository("mm/page.c.diff"))

    def test_an_edit_that_the_newest_cannot_have(self):
        self.make("6.12", "newest")
        self.edit("mm/page.c", "line twelve\n", "line 12 of old\n")
        said = self.fails("export")
        self.assertIn("mm/page.c.diff: hunk 1 of 1 does not apply to mm/page.c of Linux 7.3.4",
                      said)
        self.assertIn("'make export FOR=this' writes it to versions/6.12/", said)
        self.assertEqual(self.in_repository("mm/page.c.diff"), ONE_LINE)
        self.run_it("export", for_this=True)
        self.assertEqual(self.in_repository("mm/page.c.diff"), ONE_LINE)
        apart = self.in_repository("versions/6.12/mm/page.c.diff")
        self.assertTrue(apart.startswith("Why.\n\n--- a/mm/page.c\n"))
        self.assertIn("\n-line twelve\n+line 12 of old\n", apart)
        self.assertIn("up to date", self.run_it("tree", "6.12"))

    def test_for_this_kernel_alone(self):
        self.make("6.12")
        self.edit("mm/cma/range.c", "range", "older")
        write(self.linux, {"mm/cma/own.h": "own\n", "mm/cma/Kconfig": "config OLD\n"})
        self.at("mm/cma/tests/.kunitconfig").unlink()
        said = self.run_it("export", for_this=True)
        self.assertIn("versions/6.12/absent does not say why", said)
        for name, text in (("mm/cma/range.c", "older\n"), ("mm/cma/own.h", "own\n"),
                           ("mm/cma/Kconfig", "config OLD\n"),
                           ("absent", "# nothing\n# TODO: say why\nmm/cma/tests/.kunitconfig\n")):
            self.assertEqual(self.in_repository("versions/6.12/" + name), text)
        self.assertEqual(self.in_repository("mm/cma/range.c"), "range\n")
        self.assertEqual(self.in_repository("Kconfig"), "config CMA\n")
        self.assertFalse(self.has("mm/cma/own.h"))
        self.assertTrue(self.has("mm/cma/tests/.kunitconfig"))
        self.make("6.12")
        self.assertIn("nothing to do", self.run_it("export", for_this=True))
        write(self.linux, {"mm/cma/tests/.kunitconfig": "CONFIG_OLD=y\n"})
        self.run_it("export")
        self.assertEqual(self.in_repository("versions/6.12/mm/cma/tests/.kunitconfig"),
                         "CONFIG_OLD=y\n")
        self.assertNotIn(".kunitconfig", self.in_repository("versions/6.12/absent"))

    def test_what_is_apart_goes(self):
        self.repository(("versions/6.12/mm/page.c.diff", ONE_LINE),
                        ("versions/6.12/mm/cma/own.h", "own\n"))
        self.make("6.12")
        write(self.linux, {"mm/page.c": OLD_PAGE})
        self.at("mm/cma/own.h").unlink()
        self.run_it("export")
        self.assertFalse(self.has("versions/6.12/mm"))
        self.assertEqual(self.in_repository("mm/page.c.diff"), ONE_LINE)
        self.assertTrue(self.in_repository("versions/6.12/absent").endswith("\nmm/page.c\n"))
        self.assertIn("up to date", self.run_it("tree"))

    def test_from_the_newest(self):
        self.repository(("versions/6.12/mm/twice.c.diff", PAGE_DIFF.replace("page", "twice")
                         .replace(PAGE_DIFF[PAGE_DIFF.index("@@"):],
                                  "@@ -8,2 +8,3 @@ same\n same\n same\n+more\n")))
        self.make("6.12", "newest")
        self.edit("mm/twice.c", "same\n" * 9, "same\n" * 10, "newest")
        self.edit("mm/page.c", "line 12\n", "line 12 of new\n", "newest")
        self.edit("mm/cma/range.c", "range", "range 2", "newest")
        said = self.run_it("export", "newest")
        self.assertIn("mm/page.c.diff: hunk 1 of 1 does not apply to mm/page.c of Linux 6.12.7",
                      said)
        self.assertIn("'make export BASE=N.M FOR=this' keeps what the tree of", said)
        self.assertNotIn("mm/twice.c.diff: ", said)
        self.assertEqual(self.in_repository("mm/cma/range.c"), "range 2\n")
        self.assertIn("+line 12 of new\n", self.in_repository("mm/page.c.diff"))
        self.assertIn("mm/page.c.diff: hunk 1 of 1", self.fails("tree"))
        self.run_it("export", for_this=True)
        self.assertEqual(self.in_repository("versions/6.12/mm/page.c.diff"), ONE_LINE)
        self.assertFalse(self.has("versions/6.12/mm/cma"))
        self.assertIn("Linux 6.12.7", self.run_it("tree"))
        self.assertEqual(self.text("mm/cma/range.c"), "range 2\n")

    def test_the_newest_has_no_folder(self):
        self.make("newest")
        self.assertIn("FOR=this is for an older kernel",
                      self.fails("export", "newest", for_this=True))


class Context(unittest.TestCase):
    def test_lines_of_context(self):
        for text, context in (
                (PAGE_DIFF, (2, 2)), (ONE_LINE, (1, 1)), ("TODO\n", (2, 2)),
                (ONE_LINE + PAGE_DIFF[PAGE_DIFF.index("@@"):], (2, 1)),
                ("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n-a\n+b\n c\n d\n", (2, 2)),
                ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n",
                 (1, 1))):
            self.assertEqual(edits.context(text.encode()), context, text)
