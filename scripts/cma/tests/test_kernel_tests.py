# SPDX-License-Identifier: GPL-2.0
"""Results of the kernel's own tests, with both allocators."""

import unittest

from stages import kernel_tests
from stages.kernel_tests import Boot, Outcome, compare, outcome
from tests.case import Case

BOOT = Boot("boot", "1G", "cma=64M")
LOG = """\
[    1.000000] guest: begin: /selftests/cow
[    1.100000] TAP version 13
[    1.100000] 1..5
[    1.200000] ok 1 It is a test: of pages
[    1.300000] ok 2 # SKIP no such pages
[    1.400000] not ok 3 Another
[    1.400000] ok 4 fd=3 after=12
[    1.400000] ok 5 Another
[    1.500000] guest: end 1: /selftests/cow
[    1.600000] guest: begin: true
[    1.700000] guest: end 0: true
[    1.800000] guest: done
"""


class Outcomes(unittest.TestCase):
    def test_results(self):
        self.assertEqual(outcome(BOOT, LOG.splitlines()).results, {
            "/selftests/cow: It is a test: of pages, 1": "ok",
            "/selftests/cow: no such pages, 1": "skip",
            "/selftests/cow: Another, 1": "not ok",
            "/selftests/cow: fd=N after=N, 1": "ok",
            "/selftests/cow: Another, 2": "ok",
            "/selftests/cow: its status": "not ok",
            "true: its status": "ok",
            "the guest ends by itself": "ok"})

    def test_it_does_not_end(self):
        lines = LOG.splitlines()[:-1]
        self.assertEqual(outcome(BOOT, lines).results["the guest ends by itself"],
                         "not ok")

    def test_messages(self):
        boot = Boot("boot", "1G", "", expect=["begin: true", "panic"], ends=False)
        got = outcome(boot, LOG.splitlines()).results
        self.assertEqual(got["says: begin: true"], "ok")
        self.assertEqual(got["says: panic"], "not ok")
        self.assertNotIn("the guest ends by itself", got)

    def test_splats(self):
        lines = ["[    1.0] WARNING: at mm/a.c:1", "[    1.0] Kernel panic - not syncing: b"]
        boot = Boot("boot", "1G", "", may_say=["panic.*: b"])
        self.assertEqual(outcome(boot, lines).splats, ["WARNING: at mm/a.c:1"])


class Comparisons(Case):
    def compare(self, ours, theirs):
        """Counts of what passed, failed and skipped, without the test of splats."""
        passed, failed, skipped = self.counts(compare, BOOT, *(
            Outcome({f"test, {i}": status for i, status in enumerate(statuses) if status})
            for statuses in (ours, theirs)))
        return passed - 1, failed, skipped

    def test_results(self):
        for what, ours, theirs, counts in (
                ("as well as mainline", ["ok", "ok", "ok"], ["ok", "skip", "not ok"], (3, 0, 0)),
                ("worse than mainline", ["not ok", "skip", "", "not ok"],
                 ["ok", "ok", "ok", "skip"], (0, 4, 0)),
                ("what skips with mainline has another name", ["ok", ""], ["", "skip"],
                 (1, 0, 1)),
                ("neither", ["skip", "not ok"], ["skip", "not ok"], (0, 0, 2)),
                ("tests that mainline has not", ["ok", "not ok"], ["", ""], (1, 1, 0))):
            with self.subTest(what):
                self.assertEqual(self.compare(ours, theirs), counts)

    def test_splats_of_ours_alone_fail(self):
        for ours, theirs, failed in ([], ["BUG: "], 0), (["BUG: "], ["BUG: "], 1):
            self.assertEqual(self.counts(compare, BOOT, Outcome(splats=ours),
                                         Outcome(splats=theirs))[1], failed)


class Boots(unittest.TestCase):
    def test_commands_are_told_apart_from_names_of_tests(self):
        for boot in kernel_tests.BOOTS:
            for command in (*boot.commands, *(boot.second or ())):
                if command.startswith("/selftests/"):
                    self.assertNotIn(": ", command)
