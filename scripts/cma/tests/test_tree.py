# SPDX-License-Identifier: GPL-2.0
"""tree.py on a tiny kernel source made on the fly."""

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
from unittest import mock

import tree
from lab import lock
from tests.case import Case, write
from trees import bases
from trees.git import Error

NUMBERED = "".join("line %d\n" % n for n in range(1, 61))
GITIGNORE = ".*\n*.o\n*.patch\n#\n/*\n!/debian/\n"
SOURCE = {
    "Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 7\n",
    ".gitignore": GITIGNORE,
    ".mailmap": "nobody\n",
    "mm/Makefile": "obj-y += page.o\nobj-y += old.o\n",
    "mm/old.c": "old\n",
    "mm/page.c": NUMBERED,
    "mm/twice.c": "same\n" * 9,
    "include/linux/cma.h": "old interface\n",
    "scripts/run.sh": "#!/bin/sh\n",
}
RECIPE = "delete mm/old.c\nedit mm/Makefile\n\t- obj-y += old.o\n"
STEPS = {
    "0000-cover.msg": "mm: another one\n\nIt is for @kernel@.\n",
    "0010-bare.msg": "mm: remove the old one\n\nIt goes.\n",
    "0020-new.msg": "mm/cma: add the new one\n\nIt comes.\n\nPaths:\nmm/*\n!mm/page.c\n",
    "0030-rest.msg": "mm: hook it in\n\nNow.\n\nPaths:\nmm/page.c\ninclude/\n",
}
PAGE_DIFF = """The page allocator has to know.

--- a/mm/page.c
+++ b/mm/page.c
@@ -9,4 +9,5 @@ line 8
 line 9
 line 10
+line 10 and a half
 line 11
 line 12
"""
REPOSITORY = {
    "README.md": "ours alone\n",
    "Makefile": "ours alone\n",
    ".ci/run": "ours alone\n",
    ".editorconfig": "ours alone\n",
    "scripts/cma/tool": "ours alone\n",
    "Kconfig": "config CMA\n",
    "include/linux/cma.h": "new interface\n",
    "mm/cma/range.c": "range\n",
    "mm/cma/tests/.kunitconfig": "CONFIG_KUNIT=y\n",
    "mm/page.c.diff": PAGE_DIFF,
    "versions/6.12/absent": "# nothing\n",
}


def contents(root):
    """{name: (mode, bytes)} of everything below @root but .git."""
    return {str(path.relative_to(root)): (path.stat().st_mode, path.read_bytes())
            for path in root.rglob("*")
            if path.is_file() and ".git" not in path.relative_to(root).parts}


class TreeCase(Case):
    """Gives a source, a recipe, steps, a repository and a place to build."""

    def setUp(self):
        self.top = self.folder()
        self.source, self.root = self.top / "source", self.top / "repository"
        self.build, self.recipe, self.steps = (
            self.top / name for name in ("build", "recipe", "steps"))
        self.linux = self.build / "linux"
        write(self.source, SOURCE)
        write(self.root, REPOSITORY)
        write(self.recipe, {"cma.recipe": RECIPE, "6.12.recipe": "", "7.3.recipe": ""})
        write(self.steps, STEPS)
        subprocess.run(["git", "init", "-q", self.root], check=True)
        self.enterContext(mock.patch.dict(os.environ, KSRC=str(self.source)))

    def run_it(self, command, base="6.12", **kw):
        """What `tree.py command` prints."""
        trees = tree.Trees(self.build, self.root, self.recipe, self.steps, base)
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            with lock.held(trees.top):
                getattr(trees, {"tree": "make"}.get(command, command))(**kw)
        return out.getvalue()

    def fails(self, command, base="6.12", **kw):
        """The message with which `tree.py command` stops."""
        with self.assertRaises(Error) as caught:
            self.run_it(command, base, **kw)
        return str(caught.exception)

    def fails_saying(self, command, *texts):
        """It stops, and says each of these."""
        message = self.fails(command)
        for text in texts:
            self.assertIn(text, message)

    @contextlib.contextmanager
    def unchanged(self):
        """The tree and its tags are afterwards what they were."""
        before, refs = contents(self.linux), self.git("for-each-ref")
        yield
        self.assertEqual(contents(self.linux), before)
        self.assertEqual(self.git("for-each-ref"), refs)

    def git(self, *args):
        return subprocess.run(
            ["git", "-C", self.linux, "-c", "user.name=x", "-c", "user.email=x@x", *args],
            check=True, capture_output=True, text=True).stdout.strip()

    def set_sublevel(self, number):
        write(self.source, {"Makefile": SOURCE["Makefile"].replace("7", str(number))})

    def at(self, name, base="6.12"):
        return bases.folder(self.build, base) / "linux" / name

    def text(self, name, base="6.12"):
        return self.at(name, base).read_text("utf-8")

    def in_repository(self, name):
        return (self.root / name).read_text("utf-8")

    def has(self, name):
        return (self.root / name).exists()


class Making(TreeCase):
    def test_three_tags(self):
        self.run_it("tree")
        for name, text in (
                ("base:mm/old.c", "old"), ("base:.mailmap", "nobody"),
                ("bare:mm/Makefile", "obj-y += page.o"),
                ("bare:include/linux/cma.h", "old interface"),
                ("cma:include/linux/cma.h", "new interface"),
                ("cma:mm/cma/Kconfig", "config CMA"),
                ("cma:mm/cma/tests/.kunitconfig", "CONFIG_KUNIT=y")):
            self.assertEqual(self.git("show", name), text, name)
        self.assertNotIn("/*", self.git("show", "base:.gitignore"))
        self.assertEqual(self.git("ls-tree", "--name-only", "bare", "mm/old.c"), "")
        self.assertIn("line 10\nline 10 and a half\nline 11\n",
                      self.git("show", "cma:mm/page.c"))
        self.assertEqual(self.git("rev-parse", "cma^", "HEAD"),
                         self.git("rev-parse", "bare", "cma"))
        self.assertEqual(self.git("status", "--porcelain"), "")
        for own in ("README.md", ".ci/run", ".editorconfig", "scripts/cma/tool"):
            self.assertFalse(self.at(own).exists(), own)
        self.assertEqual(self.text("Makefile"), SOURCE["Makefile"])

    def test_second_run_does_nothing(self):
        self.run_it("tree")
        with self.unchanged():
            self.assertIn("up to date", self.run_it("tree"))
            with mock.patch.dict(os.environ):
                del os.environ["KSRC"]
                self.assertIn("up to date", self.run_it("tree"))

    def test_tarball_gives_what_the_folder_gives(self):
        before = contents(self.source)
        self.run_it("tree")
        self.assertEqual(contents(self.source), before)
        first = self.git("for-each-ref")
        shutil.rmtree(self.linux)
        ball = self.top / "linux.tar.xz"
        with tarfile.open(ball, "w:xz") as tar:
            tar.add(self.source, "linux-source-6.12")
        os.environ["KSRC"] = str(ball)
        data = ball.read_bytes()
        self.run_it("tree")
        self.assertEqual(self.git("for-each-ref"), first)
        os.utime(ball)      # touched, but the same
        self.assertIn("up to date", self.run_it("tree"))
        self.assertEqual(ball.read_bytes(), data)

    def test_unchanged_files_keep_their_times(self):
        self.run_it("tree")
        for name in contents(self.linux):
            os.utime(self.at(name), (1000, 1000))
        self.git("update-index", "-q", "--refresh")
        write(self.root, {"mm/cma/range.c": "range 2\n", "mm/cma/new.c": "new\n"})
        self.run_it("tree")
        self.assertEqual(self.rewritten(), {"mm/cma/range.c", "mm/cma/new.c"})
        write(self.recipe,
              {"cma.recipe": RECIPE + "edit mm/twice.c\n" + "\t- same\n" * 9 + "\t+ one\n"})
        self.run_it("tree")
        self.assertEqual(self.rewritten(), {"mm/cma/range.c", "mm/cma/new.c", "mm/twice.c"})
        self.assertEqual(self.git("show", "bare:mm/twice.c"), "one")
        (self.root / "mm/cma/new.c").unlink()
        self.run_it("tree")
        self.assertFalse(self.at("mm/cma/new.c").exists())
        self.assertEqual(self.rewritten(), {"mm/cma/range.c", "mm/twice.c"})

    def rewritten(self):
        return {n for n in contents(self.linux) if self.at(n).stat().st_mtime != 1000}

    def test_executable_files_stay_executable(self):
        write(self.root, {"tools/mm/cmastat": "#!/bin/sh\n"})
        self.run_it("tree")
        self.assertTrue(os.access(self.at("tools/mm/cmastat"), os.X_OK))
        self.assertTrue(os.access(self.at("scripts/run.sh"), os.X_OK))
        self.assertFalse(os.access(self.at("mm/cma/range.c"), os.X_OK))

    def test_ignored_files_of_the_repository_are_no_part(self):
        write(self.root, {".gitignore": "*.pyc\n", "mm/cma/junk.pyc": "junk"})
        self.run_it("tree")
        self.assertFalse(self.at("mm/cma/junk.pyc").exists())


class Source(TreeCase):
    def test_other_source_is_noticed(self):
        self.run_it("tree")
        self.set_sublevel(8)
        self.assertIn("6.12.8", self.run_it("tree"))
        self.assertIn("SUBLEVEL = 8", self.git("show", "base:Makefile"))
        self.assertIn("up to date", self.run_it("tree"))

    def test_other_source_never_costs_edits(self):
        self.run_it("tree")
        write(self.linux, {"mm/cma/range.c": "edited\n"})
        self.set_sublevel(8)
        self.assertIn("mm/cma/range.c", self.fails("tree"))
        self.assertEqual(self.text("mm/cma/range.c"), "edited\n")
        self.run_it("export")
        self.assertIn("6.12.8", self.run_it("tree"))
        self.assertEqual(self.text("mm/cma/range.c"), "edited\n")

    def test_other_kernels_are_refused(self):
        self.run_it("tree")
        with self.unchanged():
            write(self.source, {"Makefile": SOURCE["Makefile"].replace("12", "13")})
            self.fails_saying("tree", "6.13.7", "6.12.y")
        self.assertEqual(set(os.listdir(self.build)), {"linux", ".lock"})

    def test_what_is_refused(self):
        write(self.top, {"broken.tar.xz": "not a tarball"})
        for ksrc, files, message in (
                (self.top / "nowhere", {}, "no such file"),
                (self.top / "broken.tar.xz", {}, "cannot unpack"),
                (self.top, {}, "copied to"),
                (self.source, {"include/generated/autoconf.h": ""}, "mrproper")):
            write(self.source, files)
            os.environ["KSRC"] = str(ksrc)
            self.assertIn(message, self.fails("tree"))
        shutil.rmtree(self.source / "include/generated")
        (self.source / "Makefile").unlink()
        self.assertIn("no top Makefile", self.fails("tree"))
        self.assertFalse(self.linux.exists())


class Refusing(TreeCase):
    """make tree never overwrites what was not exported."""

    def setUp(self):
        super().setUp()
        self.run_it("tree")

    def refused(self, path):
        with self.unchanged():
            write(self.root, {"mm/cma/range.c": "newer\n"})
            self.assertIn(path, self.fails("tree"))

    def test_edits(self):
        for what, path in (("a file of the kernel's", "mm/twice.c"),
                           ("one that the repository changed", "mm/cma/range.c"),
                           ("a new file", "mm/cma/new.c")):
            with self.subTest(what):
                write(self.linux, {path: "edited\n"})
                self.refused(path)
            self.git("reset", "-q", "--hard")
            self.git("clean", "-q", "-f")

    def test_edit_without_any_change_in_the_repository(self):
        write(self.linux, {"mm/twice.c": "edited\n"})
        self.assertIn("mm/twice.c", self.fails("tree"))

    def test_commit(self):
        write(self.linux, {"mm/twice.c": "edited\n"})
        self.git("commit", "-qam", "edit")
        self.refused("mm/twice.c")

    def test_deleted_file(self):
        self.at("mm/cma/range.c").unlink()
        self.refused("mm/cma/range.c")

    def test_build_products_do_not_count(self):
        write(self.linux, {"mm/page.o": "object"})
        self.assertIn("up to date", self.run_it("tree"))


class Diffs(TreeCase):
    def edit(self, *hunks, name="mm/page.c", path=None):
        path = path or name
        body = "".join("@@ -%s +%s @@\n%s" % h for h in hunks)
        write(self.root, {name + ".diff": "Why.\n--- a/%s\n+++ b/%s\n%s" % (path, path, body)})

    GOOD = ("3,3", "3,4", " line 3\n line 4\n+new\n line 5\n")
    MOVED = ("23,4", "24,5", " line 33\n line 34\n+new\n line 35\n line 36\n")
    FUZZY = ("49,4", "51,5", " line 49\n line 50\n+new\n line 51\n line fifty-two\n")

    def test_offset_is_accepted(self):
        self.edit(self.GOOD, self.MOVED)
        self.run_it("tree")
        self.assertIn("line 34\nnew\nline 35\n", self.text("mm/page.c"))

    def test_fuzz_is_refused_and_named(self):
        self.run_it("tree")
        with self.unchanged():
            self.edit(self.GOOD, self.MOVED, self.FUZZY)
            self.fails_saying("tree", "mm/page.c.diff: hunk 3 of 3", "6.12.7")

    def test_all_bad_ones_are_named(self):
        self.edit(self.FUZZY)
        self.edit(("1,2", "1,3", " same\n other\n+new\n"), name="mm/twice.c")
        self.edit(self.GOOD, name="mm/old.c")
        self.fails_saying("tree", "mm/page.c.diff: hunk 1 of 1", "mm/twice.c.diff: hunk 1 of 1",
                          "mm/old.c.diff: Linux 6.12.7 has no")

    def test_what_makes_no_edit(self):
        self.edit(self.GOOD, path="mm/twice.c")
        self.assertIn("mm/page.c.diff: is no edit of mm/page.c", self.fails("tree"))
        for files, message in (
                ({"mm/page.c.diff": PAGE_DIFF + "--- /dev/null\n+++ b/mm/more.c\n"
                  "@@ -0,0 +1 @@\n+more\n"}, "edits other files"),
                ({"mm/page.c.diff": PAGE_DIFF.replace("9,5", "9,7")},
                 "mm/page.c.diff: does not apply to Linux 6.12.7"),
                ({"mm/page.c": "whole\n"}, "both mm/page.c and mm/page.c.diff")):
            write(self.root, files)
            self.assertIn(message, self.fails("tree"))


class Exporting(TreeCase):
    def setUp(self):
        super().setUp()
        self.run_it("tree")

    def repository(self):
        return contents(self.root)

    def test_apply_then_export_changes_nothing(self):
        before = self.repository()
        self.assertIn("nothing to do", self.run_it("export"))
        self.assertEqual(self.repository(), before)

    def test_round_trip(self):
        write(self.linux, {
            "mm/cma/area.c": "area\n", "mm/cma/range.c": "range 2\n",
            "mm/cma/Kconfig": "config CMA\n\tbool\n", "mm/cma/sub/.kunitconfig": "K\n",
            "mm/twice.c": "same\n" * 8, "include/linux/cma.h": "newest\n",
            "tools/mm/cmastat": "#!/bin/sh\n", "mm/cma/kept.patch": "text\n",
            "mm/page.c": self.text("mm/page.c").replace("line 40\n", "forty\n")})
        self.git("add", "-f", "mm/cma/kept.patch")
        self.git("commit", "-qm", "part of it is committed", "mm/cma/range.c")
        out = self.run_it("export")
        now = self.repository()
        for name, text in (
                ("mm/cma/area.c", b"area\n"), ("mm/cma/range.c", b"range 2\n"),
                ("Kconfig", b"config CMA\n\tbool\n"), ("mm/cma/sub/.kunitconfig", b"K\n"),
                ("mm/cma/kept.patch", b"text\n"), ("include/linux/cma.h", b"newest\n")):
            self.assertEqual(now[name][1], text, name)
        self.assertNotIn("include/linux/cma.h.diff", now)
        self.assertTrue(now["tools/mm/cmastat"][0] & 0o100)
        page = now["mm/page.c.diff"][1].decode()
        self.assertTrue(page.startswith(PAGE_DIFF), page)
        self.assertIn("@@ -38,5 +39,5 @@ line 37\n line 38\n line 39\n-line 40\n+forty\n", page)
        twice = now["mm/twice.c.diff"][1].decode()
        self.assertTrue(twice.startswith("TODO: say why\n\n--- a/mm/twice.c\n"), twice)
        self.assertNotIn("index", twice)
        self.assertIn("mm/twice.c.diff does not say why", out)
        self.assertNotIn("mm/page.c.diff does not", out)
        files = contents(self.linux)
        self.assertIn(" 0 files written", out)
        self.assertIn("up to date", self.run_it("tree"))
        self.assertEqual(contents(self.linux), files)
        self.assertIn("nothing to do", self.run_it("export"))
        self.assertEqual(self.repository(), now)

    def test_edit_again_after_export(self):
        for text in ("one\n", "two\n", "three\n"):
            write(self.linux, {"mm/cma/range.c": text})
            self.assertIn("wrote mm/cma/range.c", self.run_it("export"))
            self.assertEqual(self.in_repository("mm/cma/range.c"), text)

    def test_no_newline_at_the_end(self):
        write(self.linux, {"mm/twice.c": "same\n" * 8 + "same"})
        self.run_it("export")
        self.run_it("tree")
        self.assertIn("nothing to do", self.run_it("export"))
        self.assertEqual(self.git("show", "cma:mm/twice.c")[-5:], "\nsame")

    def test_files_whose_edit_is_gone(self):
        write(self.linux, {"mm/page.c": NUMBERED})
        self.at("mm/cma/tests/.kunitconfig").unlink()
        self.run_it("export")
        self.assertNotIn("mm/page.c.diff", self.repository())
        self.assertFalse(self.has("mm/cma/tests"))
        self.assertIn("mm/cma/range.c", self.repository())

    def test_hidden_files_are_mentioned(self):
        write(self.linux, {"mm/cma/x.patch": "hidden\n", "mm/cma/x.o": "built\n"})
        out = self.run_it("export")
        self.assertIn("mm/cma/x.patch", out)
        self.assertNotIn("x.o", out)
        self.assertNotIn("mm/cma/x.patch", self.repository())

    def test_what_is_refused(self):
        """The repository stays as it is, whatever else there is to export."""
        before = self.repository()
        self.at("mm/twice.c").chmod(0o755)
        self.fails_saying("export", "mm/twice.c: an edit of a kernel file can change neither")
        self.at("mm/twice.c").unlink()
        write(self.linux, {"mm/cma/range.c": "range 2\n"})
        self.assertIn("mm/twice.c: deleted", self.fails("export"))
        self.git("checkout", "-q", "mm/twice.c")
        write(self.linux, {"scripts/cma/tool": "from the kernel\n", ".mailmap": "somebody\n"})
        self.assertEqual(self.fails("export").splitlines(), [
            ".mailmap: cannot be edited",
            "scripts/cma/tool: the repository keeps a file of its own there"])
        self.assertEqual(self.repository(), before)

    def test_repository_edits_survive(self):
        write(self.root, {"mm/cma/range.c": "from the repository\n", "mm/cma/b.c": "b\n"})
        (self.root / "Kconfig").unlink()
        write(self.linux, {"mm/cma/tests/.kunitconfig": "from the kernel\n"})
        out = self.run_it("export")
        now = self.repository()
        self.assertEqual(now["mm/cma/range.c"][1], b"from the repository\n")
        self.assertEqual(now["mm/cma/b.c"][1], b"b\n")
        self.assertNotIn("Kconfig", now)
        self.assertEqual(now["mm/cma/tests/.kunitconfig"][1], b"from the kernel\n")
        self.assertIn("left mm/cma/range.c alone", out)
        self.run_it("tree")
        self.assertEqual(self.text("mm/cma/range.c"), "from the repository\n")
        self.assertFalse(self.at("mm/cma/Kconfig").exists())

    def test_both_sides_changed(self):
        write(self.root, {"mm/cma/range.c": "from the repository\n"})
        write(self.linux, {"mm/cma/range.c": "from the kernel\n", "mm/cma/b.c": "b\n"})
        before = self.repository()
        self.assertIn("mm/cma/range.c: changed both", self.fails("export"))
        self.assertEqual(self.repository(), before)

    def test_broken_diff_is_kept(self):
        write(self.root, {"mm/page.c.diff": "nonsense\n"})
        self.assertIn("left mm/page.c.diff alone", self.run_it("export"))
        self.assertEqual(self.in_repository("mm/page.c.diff"), "nonsense\n")

    def test_status(self):
        write(self.linux, {"mm/twice.c": "x\n" * 60, "mm/cma/b.c": "b\nb\n"})
        lines = [" ".join(l.split()) for l in self.run_it("status").splitlines()]
        self.assertLessEqual({
            "- mm/old.c +0 -1", "~ mm/page.c +1 -0",
            "~ mm/twice.c +60 -9 ! over 60 changed lines, not exported",
            "+ mm/cma/range.c +1 -0", "+ mm/cma/b.c +2 -0 ! not exported",
            "- 2 files stripped, 0 lines added, 2 removed"}, set(lines))


class Series(TreeCase):
    def setUp(self):
        super().setUp()
        self.run_it("tree")
        self.patches = self.build / "patches"

    def patch(self, name):
        return (self.patches / name).read_text("utf-8")

    def test_it_verifies(self):
        out = self.run_it("series")
        self.assertIn("these 3 patches", out)
        letter, *names = sorted(os.listdir(self.patches))
        self.assertEqual(letter, "0000-cover-letter.txt")
        self.assertEqual(names, ["0001-mm-remove-the-old-one.patch",
                                 "0002-mm-cma-add-the-new-one.patch",
                                 "0003-mm-hook-it-in.patch"])
        new = self.patch(names[1])
        self.assertIn("\nSigned-off-by: ", new)
        self.assertIn("b/mm/cma/range.c", new)
        self.assertNotIn("b/mm/page.c", new)
        self.assertIn("base-commit: " + self.git("rev-parse", "base"), self.patch(letter))
        self.assertEqual(len(self.git("worktree", "list").splitlines()), 1)
        self.assertEqual(set(os.listdir(self.build)),
                         {"linux", "patches", ".lock"})

    def test_git_am_by_hand(self):
        self.run_it("series")
        self.git("checkout", "-q", "base")
        self.git("am", "-q", *sorted(self.patches.glob("*.patch")))
        self.git("diff", "--exit-code", "cma", "HEAD")

    def test_a_series_that_is_not_cma_is_noticed(self):
        # git am takes an edit in the message for a part of the patch.
        write(self.steps, {"0030-rest.msg": STEPS["0030-rest.msg"].
              replace("Now.", "--- a/mm/twice.c\n+++ b/mm/twice.c\n"
                      "@@ -1,2 +1,3 @@\n same\n+more\n same")})
        self.assertIn("series: git am does not give cma", self.fails("series"))
        self.assertEqual(len(self.git("worktree", "list").splitlines()), 1)

    def test_each_file_in_one_step(self):
        write(self.steps, {
            "0020-new.msg": "new\n\nPaths:\nmm/cma/\n",
            "0030-rest.msg": "rest\n\nPaths:\nmm/cma/r*\nmm/page.c\n"})
        self.fails_saying("series", "include/linux/cma.h belongs to no step",
                          "mm/cma/range.c belongs to 0020-new.msg and 0030-rest.msg")

    def test_each_name_is_of_a_file(self):
        write(self.steps, {
            "0020-new.msg": STEPS["0020-new.msg"] + "mm/none.c\n!mm/page.h\n",
            "0040-more.msg": "more\n\nPaths:\nfs/\n"})
        self.fails_saying("series", "0020-new.msg: mm/none.c is the name of no file",
                          "0020-new.msg: !mm/page.h is the name of no file",
                          "0040-more.msg: fs/ is the name of no file",
                          "0040-more.msg takes no file")

    def test_without_a_tree(self):
        shutil.rmtree(self.linux)
        self.assertIn("these 3 patches", self.run_it("series"))

    def test_a_stale_tree_is_made_anew(self):
        write(self.root, {"mm/cma/range.c": "range 2\n"})
        self.run_it("series")
        self.assertIn("\n+range 2\n", self.patch("0002-mm-cma-add-the-new-one.patch"))

    def test_another_source_is_what_it_is_made_against(self):
        self.run_it("series")
        self.set_sublevel(8)
        self.assertIn("on Linux 6.12.8 gives", self.run_it("series"))
        self.assertIn("SUBLEVEL = 8", self.git("show", "base:Makefile"))
        self.assertIn("base-commit: " + self.git("rev-parse", "base"),
                      self.patch("0000-cover-letter.txt"))

    def test_the_letter(self):
        self.run_it("series")
        text = self.patch("0000-cover-letter.txt")
        self.assertIn("\nSubject: [PATCH 0/3] mm: another one\n", text)
        self.assertIn("\n\nIt is for Linux 6.12.7.\n\n", text)
        self.assertNotIn("***", text)
        for said in ("mm: remove the old one", "mm/cma: add the new one", "mm/cma/range.c "):
            self.assertIn(said, text)

    def test_a_letter_that_says_what_nobody_knows(self):
        write(self.steps, {"0000-cover.msg": "s\n\n@one@ @kernel@ @two@\n"})
        self.fails_saying("series", "0000-cover.msg: nothing is known as @one@, @two@")

    def test_edits_that_were_not_exported_are_refused(self):
        for sublevel in 7, 8:       # whether the source changes or not
            write(self.linux, {"mm/cma/range.c": "edited\n"})
            self.set_sublevel(sublevel)
            self.fails_saying("series", "make export", "mm/cma/range.c")
            self.assertEqual(self.text("mm/cma/range.c"), "edited\n")
            self.assertFalse(self.patches.exists())


class Recipes(TreeCase):
    def test_steps_that_find_nothing(self):
        for step, message in (
                ("delete mm/none.c", "no such file: mm/none.c"),
                ("edit mm/page.c\n\t- line 3\n\t- line 5\n", "matches 0 times"),
                ("edit mm/twice.c\n\t- same\n", "matches 9 times"),
                ("drop mm/page.c nothing", "has no nothing"),
                ("kconfig mm/Makefile CMA", "has no config CMA"),
                ("replace mm/page.c", "cannot make sense")):
            write(self.recipe, {"cma.recipe": "# x\n" + step})
            self.fails_saying("tree", message, "cma.recipe:2", "6.12.7")
