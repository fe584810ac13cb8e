# SPDX-License-Identifier: GPL-2.0
"""Is a picture of a display the test pattern that modetest draws?"""

import re

# SMPTE EG 1-1990: the seven bars that fill the upper two thirds.
BARS = [(192, 192, 192), (192, 192, 0), (0, 192, 192), (0, 192, 0),
        (192, 0, 192), (192, 0, 0), (0, 0, 192)]
# A frame buffer may have 5 bits for a colour.
TOLERANCE = 8


def faults(data: bytes) -> list[str]:
    """What is wrong with the bars of a portable pixmap with a byte a colour, line by
    line of text; none if nothing."""
    head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    if not head:
        raise ValueError("no portable pixmap")
    width, height = int(head[1]), int(head[2])
    pixels = data[head.end():]
    if len(pixels) != 3 * width * height:
        raise ValueError("the picture is cut short")
    said = []
    for i, wanted in enumerate(BARS):
        x = (2 * i + 1) * width // (2 * len(BARS))
        for y in range(0, height * 6 // 10, 16):
            start = 3 * (y * width + x)
            colour = tuple(pixels[start:start + 3])
            if any(abs(a - b) > TOLERANCE for a, b in zip(colour, wanted)):
                said.append(f"bar {i} at {x}, {y}: {colour} instead of {wanted}")
                break
    return said
