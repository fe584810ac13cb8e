# SPDX-License-Identifier: GPL-2.0
"""Pictures of a display: the right one passes, others do not."""

import unittest

from lab import picture

WIDTH, HEIGHT = 140, 100


def draw(bars):
    row = b"".join(bytes(colour) * (WIDTH // len(bars)) for colour in bars)
    return b"P6\n%d %d\n255\n" % (WIDTH, HEIGHT) + row * HEIGHT


class Bars(unittest.TestCase):
    def test_the_pattern_passes(self):
        self.assertEqual(picture.faults(draw(picture.BARS)), [])

    def test_few_bits_a_colour_will_do(self):
        coarse = [tuple(c & 0xf8 for c in bar) for bar in picture.BARS]
        self.assertEqual(picture.faults(draw(coarse)), [])

    def test_a_black_screen_fails(self):
        self.assertEqual(len(picture.faults(draw([(0, 0, 0)] * 7))), 7)

    def test_bars_in_another_order_fail(self):
        said = picture.faults(draw(picture.BARS[::-1]))
        self.assertEqual(len(said), 6)	# the one in the middle is right
        self.assertIn("bar 0 at 10, 0", said[0])

    def test_one_that_is_cut_short_is_none(self):
        with self.assertRaises(ValueError):
            picture.faults(draw(picture.BARS)[:-1])
        with self.assertRaises(ValueError):
            picture.faults(b"\x89PNG")
