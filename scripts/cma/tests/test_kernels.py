# SPDX-License-Identifier: GPL-2.0
"""Configurations are compared by what they set."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from stages_kernels import added, lost, settings  # noqa: E402

BASE = """\
CONFIG_CONTIG_ALLOC=y
CONFIG_CMA_AREAS=7
CONFIG_VIRTIO_MEM=m
# CONFIG_KFENCE is not set
"""


class Configurations(unittest.TestCase):
    def test_settings(self):
        self.assertEqual(settings(BASE), {
            "CONFIG_CONTIG_ALLOC": "y", "CONFIG_CMA_AREAS": "7",
            "CONFIG_VIRTIO_MEM": "m"})

    def test_nothing_lost(self):
        self.assertEqual(lost(settings(BASE), settings(
            BASE.replace("AREAS=7", "AREAS=8") + "CONFIG_GLOB=y\n")), [])

    def test_lost(self):
        ours = settings(BASE.replace("CONFIG_VIRTIO_MEM=m", "").replace(
            "CONTIG_ALLOC=y", "CONTIG_ALLOC=m"))
        self.assertEqual(lost(settings(BASE), ours), [
            "CONFIG_CONTIG_ALLOC=y", "CONFIG_VIRTIO_MEM=m"])

    def test_added(self):
        ours = settings(BASE + "CONFIG_CMA_OF_AREAS=y\nCONFIG_GLOB=y\n")
        self.assertEqual(added(settings(BASE), ours), ["CONFIG_GLOB=y"])


if __name__ == "__main__":
    unittest.main()
