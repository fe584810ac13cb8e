# SPDX-License-Identifier: GPL-2.0
"""Pictures of a display: the right one passes, others do not."""

import unittest

from lab import picture

WIDTH, HEIGHT = 140, 100


def draw(bars):
    row = b"".join(bytes(colour) * (WIDTH // len(bars)) for colour in bars)
    return b"P6\n%d %d\n255\n" % (WIDTH, HEIGHT) + row * HEIGHT


class Bars(unittest.TestCase):
    def test_bars(self):
        coarse = [tuple(c & 0xf8 for c in bar) for bar in picture.BARS]
        for what, bars, nr in (
                ("the pattern", picture.BARS, 0), ("few bits a colour will do", coarse, 0),
                ("a black screen", [(0, 0, 0)] * 7, 7),
                ("another order; the one in the middle is right", picture.BARS[::-1], 6)):
            with self.subTest(what):
                said = picture.faults(draw(bars))
                self.assertEqual(len(said), nr)
                self.assertTrue(not said or "bar 0 at 10, 0" in said[0])

    def test_one_that_is_cut_short_is_none(self):
        with self.assertRaises(ValueError):
            picture.faults(draw(picture.BARS)[:-1])
        with self.assertRaises(ValueError):
            picture.faults(b"\x89PNG")
