# SPDX-License-Identifier: GPL-2.0
"""What the stages of check.py make of what tools say."""

import struct
import subprocess
import sys
from unittest import mock

from lab import children
from stages import identical, source, variants
from tests.case import Case

TESTS = {
    "ok": "def test_ok(self): pass",
    "fail": "def test_fail(self): self.fail()",
    "error": "def test_error(self): raise OSError",
    "skip": "@unittest.skip('why')\n    def test_skip(self): pass",
    "better": "@unittest.expectedFailure\n    def test_better(self): pass",
    "known": "@unittest.expectedFailure\n    def test_known(self): self.fail()",
}


class Unittest(Case):
    def counts_of(self, *names):
        """(passed, failed, skipped) of a file with these tests."""
        folder = self.folder({"test_x.py": (
            "import unittest\nclass X(unittest.TestCase):\n    "
            + "\n    ".join(TESTS[name] for name in names) + "\n")})
        done = children.capture([sys.executable, "-B", "-m", "unittest", "discover", "-v",
                                 "-s", folder])
        return self.judged(done.stdout, done.returncode)

    def judged(self, said, status):
        return self.counts(source.judge_unittest, said, status)

    def test_each_kind_counts(self):
        for names, counts in ((["ok", "known"], (2, 0, 0)),
                              (["ok", "fail", "error", "skip"], (1, 3, 0)),
                              *((["ok", name], (1, 1, 0))
                                for name in ("fail", "error", "skip", "better"))):
            self.assertEqual(self.counts_of(*names), counts, names)

    def test_no_tests(self):
        self.assertEqual(self.judged("Traceback: ...", 1), (0, 1, 0))
        self.assertEqual(self.judged("", 1), (0, 1, 0))


class Files(Case):
    """What the stage style looks at."""

    def setUp(self):
        self.root = self.folder(dict.fromkeys((
            "Kconfig", "README.md", "mm/cma/a.c", "mm/page.c.diff", "scripts/cma/x.py",
            "build/b.c", "out/obj/c.c"), ""))

    def files(self, build="out", *starts):
        with mock.patch.multiple(source, REPO=self.root, TOP=self.root / build):
            return source.overlay_files(*starts)

    def test_the_build_folder_is_no_part_wherever_it_is(self):
        for git in False, True:	# a copy without .git is as good
            if git:
                subprocess.run(["git", "init", "-q", self.root], check=True)
            self.assertEqual(self.files("out"), ["mm/cma/a.c"])
            self.assertEqual(self.files("build"), ["mm/cma/a.c", "out/obj/c.c"])
            self.assertEqual(self.files("out", "mm/cma/b"), [])


def elf(*contents):
    """A 32 bit file with a section .sN for each of contents."""
    names, data, headers = b"\0", b"", [struct.pack("<10I", *[0] * 10)]
    for i, content in enumerate([*contents, b""]):
        last = i == len(contents)
        name = b".shstrtab\0" if last else b".s%d\0" % i
        names += name
        content = names if last else content
        headers.append(struct.pack("<10I", len(names) - len(name), 3 if last
                                   else 1, 0, 0, 52 + len(data), len(content),
                                   0, 0, 1, 0))
        data += content
    head = b"\x7fELF\1\1\1".ljust(32, b"\0") + struct.pack("<I", 52 + len(data)) + bytes(10)
    return head + struct.pack("<3H", 40, len(headers),
                              len(headers) - 1) + data + b"".join(headers)


class Identical(Case):
    def test_the_same(self):
        self.assertEqual(identical.differences(elf(b"a"), elf(b"a")), [])

    def test_what_differs_is_named(self):
        one = elf(b"code", b"data", b"more")
        self.assertEqual(identical.differences(one, elf(b"code", b"dat4", b"more")), [".s1"])
        self.assertEqual(identical.differences(one, one[:8] + b"\1" + one[9:]),
                         ["the headers"])
        self.assertIn(".s2", identical.differences(one, elf(b"code", b"data")))

    def test_numbers_of_the_compiler_are_no_difference(self):
        one = elf(b"code", b"\0CSWTCH.329\0main\0")
        other = elf(b"code", b"\0CSWTCH.330\0main\0")
        self.assertEqual(identical.differences(one, other), [".s1"])
        with mock.patch("stages.identical.SYMBOLS", ".s1"):
            self.assertEqual(identical.differences(one, other), [])
            self.assertEqual(identical.differences(
                one, elf(b"code", b"\0CSWTCH.330\0mair\0")), [".s1"])

    def run_stage(self, bare, ours):
        self.patch({"stages.identical.programs": {"bare-arm": bare, "nocma-arm": ours}.get})
        return self.counts(variants.the_same)[:2]

    def test_one_constant_is_enough(self):
        same = {"vmlinux": elf(b"\1\0"), "a.ko": elf(b"x")}
        self.assertEqual(self.run_stage(same, dict(same)), (3, 0))
        self.assertEqual(self.run_stage(same, {**same, "vmlinux": elf(b"\2\0")}), (2, 1))
        self.assertEqual(self.run_stage(same, {"vmlinux": elf(b"\1\0")}), (1, 1))
