# SPDX-License-Identifier: GPL-2.0
"""Configurations are compared by what they set."""

import re
import unittest

from lab.kbuild import settings
from stages.kernels import added, lost, races_of_others

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


class Races(unittest.TestCase):
    def is_of_others(self, line):
        return bool(re.search(races_of_others(["cma_release", "take.part"]), line))

    def test_of_others(self):
        self.assertTrue(self.is_of_others(
            "BUG: KCSAN: data-race in xas_store / cma_release_pages"))

    def test_ours(self):
        for pair in ("cma_release / xas_store", "xas_store / cma_release",
                     "cma_release+0x10/0x20 / take"):
            self.assertFalse(self.is_of_others(f"BUG: KCSAN: data-race in {pair}"))

    def test_nothing_else(self):
        self.assertFalse(self.is_of_others("BUG: sleeping function called"))
