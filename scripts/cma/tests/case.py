# SPDX-License-Identifier: GPL-2.0
"""What many tests need. All of it goes when the test is over."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from stages import stage


def write(root, files):
    """{name: text} as files below the folder @root; a script can be run."""
    for name, text in files.items():
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        if text.startswith("#!"):
            path.chmod(0o755)


class Case(unittest.TestCase):
    def folder(self, files=()):
        """A new folder with these files, {name: text}."""
        path = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="cma-test-")))
        write(path, dict(files))
        return path

    def patch(self, replaced):
        """Replaces each of {what mock.patch() takes: what stands there instead}."""
        for target, new in replaced.items():
            self.enterContext(mock.patch(target, new))

    def counts(self, work, *args):
        """(passed, failed, skipped) after work(stage, *args); self.printed has the lines."""
        one = stage.Stage("test")
        with mock.patch("builtins.print") as printed:
            work(one, *args)
        self.printed = "\n".join(" ".join(map(str, call.args))
                                 for call in printed.call_args_list)
        return one.passed, one.failed, one.skipped
