# SPDX-License-Identifier: GPL-2.0
"""Is a picture of a display the test pattern that modetest draws?"""

import re
from collections.abc import Sequence

# SMPTE EG 1-1990: the seven bars that fill the upper two thirds.
BARS = [(192, 192, 192), (192, 192, 0), (0, 192, 192), (0, 192, 0),
        (192, 0, 192), (192, 0, 0), (0, 0, 192)]
# A frame buffer may have 5 bits for a colour.
TOLERANCE = 8


class Picture:
    """A portable pixmap with a byte a colour."""

    def __init__(self, data: bytes) -> None:
        head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
        if not head:
            raise ValueError("no portable pixmap")
        self.width, self.height = int(head[1]), int(head[2])
        self.pixels = data[head.end():]
        if len(self.pixels) != 3 * self.width * self.height:
            raise ValueError("the picture is cut short")

    def at(self, x: int, y: int) -> tuple[int, ...]:
        start = 3 * (y * self.width + x)
        return tuple(self.pixels[start:start + 3])


def is_near(colour: Sequence[int], wanted: Sequence[int]) -> bool:
    return all(abs(a - b) <= TOLERANCE for a, b in zip(colour, wanted))


def faults(data: bytes) -> list[str]:
    """What is wrong with the bars, line by line of text; none if nothing."""
    picture = Picture(data)
    said = []
    for i, wanted in enumerate(BARS):
        x = (2 * i + 1) * picture.width // (2 * len(BARS))
        for y in range(0, picture.height * 6 // 10, 16):
            if not is_near(picture.at(x, y), wanted):
                said.append(f"bar {i} at {x}, {y}: {picture.at(x, y)} "
                            f"instead of {wanted}")
                break
    return said
