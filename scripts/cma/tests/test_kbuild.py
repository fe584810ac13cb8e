# SPDX-License-Identifier: GPL-2.0
"""Where the source of a kernel comes from."""

import shutil
from pathlib import Path
from unittest import mock

from lab import kbuild
from stages import whole
from tests.case import Case
from trees import git


class Source(Case):
    """A $BUILD of its own."""

    def setUp(self):
        self.build = self.folder()
        self.enterContext(mock.patch.multiple(kbuild, TOP=self.build, BUILD=self.build))

    def source(self, text):
        """A new repository with the tag base, as tree.py makes it."""
        shutil.rmtree(self.build / "linux", ignore_errors=True)
        repo = git.Repo(self.build / "linux")
        repo.init()
        self.tag(repo, text)

    def tag(self, repo, text):
        path = Path(repo.path) / "Makefile"
        path.write_text(text)
        repo.run("add", "Makefile")
        repo.set_tag("base", repo.commit(repo.out("write-tree"), [], "base"))


class Worktrees(Source):
    def text(self):
        return (kbuild.worktree("base") / "Makefile").read_text()

    def test_it_follows_the_tag(self):
        self.source("one")
        self.assertEqual(self.text(), "one")
        self.tag(git.Repo(self.build / "linux"), "two")
        self.assertEqual(self.text(), "two")

    def test_it_follows_another_source(self):
        for text in "one", "two":
            self.source(text)
            self.assertEqual(self.text(), text)
            self.assertTrue(git.Repo(self.build / "linux-base").resolve("HEAD"))

    def test_one_of_another_name(self):
        self.source("one")
        self.assertEqual(kbuild.worktree("base", "step").name, "linux-step")

    def test_no_such_tag(self):
        self.source("one")
        with self.assertRaisesRegex(kbuild.BuildError, "make tree"):
            kbuild.worktree("bare")


class Steps(Source):
    """Each patch of the series is built and booted in turn."""

    def setUp(self):
        super().setUp()
        self.source("one\n")
        repo = git.Repo(self.build / "linux")
        base = tip = repo.tag("base")
        for text in "two\n", "three\n":
            blob = repo.blob(text.encode())
            tree = repo.write_tree(repo.tree_of(tip), {"Makefile": ("100644", blob)})
            tip = repo.commit(tree, [tip], text)
        repo.run("format-patch", "-q", "-o", str(self.build / "patches"), f"{base}..{tip}")
        self.built = []
        self.broken = ""
        self.booted = self.enterContext(mock.patch("stages.stage.Stage.boot"))
        self.patch({"stages.whole.BUILD": self.build, "lab.kbuild.configure": mock.Mock(),
                    "lab.kbuild.make": self.make})

    def make(self, name, targets, src, log):
        text = (src / "Makefile").read_text()
        self.built.append(text)
        if text == self.broken:
            raise kbuild.BuildError(f"{name} is broken")

    def run_stage(self):
        return self.counts(whole.bisect)[:2]

    def test_each_once(self):
        for _ in range(2):	# what the first run left is no harm
            self.built = []
            self.booted.reset_mock()
            self.assertEqual(self.run_stage(), (3, 0))
            self.assertEqual(self.built, ["two\n", "three\n"])
            self.assertEqual([bool(call.kwargs["expect"]) for call in
                              self.booted.call_args_list], [False, True])
        self.assertEqual([call.kwargs["whole"] for call in
                          kbuild.configure.call_args_list[:2]], [False, True])

    def test_one_that_does_not_build(self):
        self.broken = "two\n"
        self.assertEqual(self.run_stage(), (2, 1))
        self.assertEqual(self.built, ["two\n", "three\n"])
        self.assertEqual(self.booted.call_count, 1)

    def test_no_patches(self):
        shutil.rmtree(self.build / "patches")
        self.assertEqual(self.run_stage(), (0, 1))
