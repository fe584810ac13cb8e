# SPDX-License-Identifier: GPL-2.0
"""The stage of the newest kernel: when it runs, and what it makes of the run."""

import types
from unittest import mock

import tree
from stages import newest
from tests.case import Case


class Newest(Case):
    def run_stage(self, *said, minutes=10, run=newest.newest):
        """said: exit status and output of each command. Returns the counts and
        what was printed."""
        self.commands = []

        def capture(cmd, **kw):
            self.commands.append([str(word) for word in cmd[1:]])
            status, text = said[len(self.commands) - 1]
            return types.SimpleNamespace(returncode=status, stdout=text)

        self.patch({"stages.newest.children.capture": capture,
                    "stages.newest.STARTED": 0.0,
                    "stages.newest.time.monotonic": lambda: minutes * 60.0,
                    "stages.stage.Stage.log": mock.Mock()})
        return self.counts(run), self.printed

    def test_what_ran_is_counted(self):
        counts, said = self.run_stage((0, "tree: Linux 7.3.4, up to date\n"), (1, (
            "=== virt\n  FAILED virt: some.test\n    a line of it\n"
            "=== virt: 7 passed, 1 failed, 2 skipped, 9 s\n"
            "7 passed, 1 failed, 2 skipped\n")))
        self.assertEqual(counts, (7, 1, 2))
        self.assertIn("some.test", said)
        self.assertEqual(self.commands[1], ["--only", *newest.EVERY_DAY])

    def test_all_parts_on_request(self):
        counts, _ = self.run_stage((0, ""), (0, "3 passed, 0 failed, 0 skipped\n"),
                                   minutes=500, run=newest.whole)
        self.assertEqual(counts, (3, 0, 0))
        self.assertEqual(self.commands[1], ["--only", *newest.PARTS])

    def test_a_run_without_a_total_has_failed(self):
        counts, said = self.run_stage((0, ""), (1, "Traceback: no such thing\n"))
        self.assertEqual(counts, (0, 1, 0))
        self.assertIn("no such thing", said)

    def test_edits_that_do_not_fit_a_known_kernel_fail(self):
        counts, _ = self.run_stage((1, "mm/vmscan.c.diff: hunk 2 does not fit\n"),
                                   (1, "  FAILED tree\n0 passed, 1 failed, 0 skipped\n"))
        self.assertEqual(counts, (0, 1, 0))

    def test_it_is_skipped(self):
        newer = (f"tree: Linux 7.4.1 is newer than 7.3, {tree.TRYING}\n"
                 "mm/vmscan.c.diff: hunk 2 does not fit\n")
        for want, minutes, status, text in (
                ("no mirror has it", 10, tree.UNAVAILABLE, "no mirror has it\n"),
                ("7.4.1 is newer", 10, 1, newer), ("7.4.1 is newer", 10, 0, newer),
                ("46 minutes", 46, 0, "")):
            with self.subTest(want, status=status):
                counts, said = self.run_stage((status, text), minutes=minutes)
                self.assertEqual(counts, (0, 0, 1))
                self.assertIn(want, said)
                self.assertLessEqual(len(self.commands), 1)
