# SPDX-License-Identifier: GPL-2.0
"""A stress is judged by what its guest says, and by nothing else."""

import contextlib
import io
import unittest
from unittest import mock

import stress

CONSOLE = """\
[    9.1] cma: reserved: alloc failed, req-size: 4096 pages, ret: -16, page at
[    9.2] bench: blocker 0x4f3cf has the flags 0x800 now
[   60.0] bench: stress-errno stress 16 1
[   60.1] bench: stress stress 1 1419 1 0 3527120352
[  120.0] bench: stress-errno stress 12 2
[  120.0] bench: stress-errno stress 16 1
[  120.1] bench: stress stress 2 3000 3 0 3527120352
"""
NO_HOLE = ("[  100.0] cma: reserved: alloc failed, req-size: 4096 pages, ret: "
           "-12, widest hole {}, align order {}, 9000 of 16384 pages not held\n")


def judge(run, text, *problems, minutes=2):
    """What @run prints while it takes in the console @text; then it is judged."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for line in text.splitlines():
            run.line(line)
    run.judge(mock.Mock(problems=problems), minutes)
    return printed.getvalue().splitlines()


def side(name, text, *problems):
    out = stress.Side(name)
    judge(out, text, *problems)
    return out


class Judgement(unittest.TestCase):
    def test_figures_are_the_latest(self):
        s = stress.Side("mainline")
        self.assertEqual(len(judge(s, CONSOLE)), 2)
        self.assertEqual((s.minutes, s.requests, s.failed, s.avoidable()), (2, 3000, 3, 1))
        self.assertEqual(s.errors, {12: 2, 16: 1})
        self.assertEqual(len(s.messages), 2)
        self.assertIn("2 times -12, 1 times -16, 1 with room; worst 3527 ms", s.text())

    def test_mainline_may_fail_and_ours_may_not(self):
        self.assertEqual(side("mainline", CONSOLE).problems, [])
        self.assertRegex("".join(side("ours", CONSOLE).problems), "had room")

    def test_no_hole_is_nobodys_fault(self):
        text = ("bench: stress-errno stress 12 2\n"
                "bench: stress stress 2 3000 2 0 1")
        short = NO_HOLE.format(4095, 0)
        spoilt = NO_HOLE.format(4350, 8)
        wide = NO_HOLE.format(4096, 0)
        self.assertEqual(side("ours", short + spoilt + text).problems, [])
        for said in "", short, short + wide:
            self.assertRegex(side("ours", said + text).problems[0], "had room")
        self.assertEqual(side("mainline", text).problems, [])

    def test_one_may_fail_now_and_then(self):
        text = "bench: stress stress 2 {} 4 0 1"
        self.assertEqual(side("ours", text.format(2000)).problems, [])
        self.assertRegex(side("ours", text.format(1999)).problems[0], "pieces")
        self.assertEqual(side("mainline", text.format(1999)).problems, [])

    def test_lost_data(self):
        s = side("mainline", "bench: stress stress 2 3000 0 1 1\n"
                 "bench: bad stress data of a program")
        self.assertEqual(len(s.problems), 2)

    def test_too_short(self):
        self.assertRegex(side("ours", "").problems[0], "no figures")

    def test_what_it_costs_others(self):
        text = ("bench: stress-throttled stress 3 1500000\n"
                "bench: stress-atomic stress {}\n"
                "bench: stress stress 2 3000 0 0 1")
        s = side("ours", text.format(12))
        self.assertEqual((s.throttled, s.throttled_s, s.atomic), (3, 1.5, 12))
        self.assertIn("reclaim waited 3 times, 1.5 s; 12 atomic", s.text())
        for mainline, said in (9, 1), (10, 0), (12, 0):
            s = side("ours", text.format(12))
            stress.compare(s, side("mainline", text.format(mainline)))
            self.assertEqual(len(s.problems), said)

    def test_other_splats(self):
        s = side("mainline", CONSOLE, "splat: cma: reserved: alloc failed, x",
                 "splat: Out of memory: Killed process 1")
        self.assertEqual(s.problems, ["splat: Out of memory: Killed process 1"])
