# SPDX-License-Identifier: GPL-2.0
"""Where the source of a kernel comes from."""

import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import kernel  # noqa: E402
from trees import git  # noqa: E402


class Folder(unittest.TestCase):
    """A $BUILD of its own."""

    def setUp(self):
        self.build = Path(tempfile.mkdtemp(prefix="cma-kernel-"))
        self.addCleanup(shutil.rmtree, self.build)
        patch = mock.patch.object(kernel, "BUILD", self.build)
        patch.start()
        self.addCleanup(patch.stop)


class Worktrees(Folder):
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

    def text(self):
        return (kernel.worktree("base") / "Makefile").read_text()

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

    def test_no_such_tag(self):
        self.source("one")
        with self.assertRaisesRegex(kernel.BuildError, "make tree"):
            kernel.worktree("bare")


if __name__ == "__main__":
    unittest.main()
