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

    def test_what_is_lost_and_what_is_added(self):
        for ours, gone, new in (
                (BASE.replace("AREAS=7", "AREAS=8") + "CONFIG_GLOB=y\n", [], ["CONFIG_GLOB=y"]),
                (BASE.replace("CONFIG_VIRTIO_MEM=m", "").replace("ALLOC=y", "ALLOC=m"),
                 ["CONFIG_CONTIG_ALLOC=y", "CONFIG_VIRTIO_MEM=m"], []),
                (BASE + "CONFIG_CMA_OF_AREAS=y\n", [], [])):
            self.assertEqual(lost(settings(BASE), settings(ours)), gone)
            self.assertEqual(added(settings(BASE), settings(ours)), new)


class Races(unittest.TestCase):
    def test_only_those_of_others(self):
        for line, found in (
                ("BUG: KCSAN: data-race in xas_store / cma_release_pages", True),
                ("BUG: KCSAN: data-race in cma_release / xas_store", False),
                ("BUG: KCSAN: data-race in xas_store / cma_release", False),
                ("BUG: KCSAN: data-race in cma_release+0x10/0x20 / take", False),
                ("BUG: sleeping function called", False)):
            others = races_of_others(["cma_release", "take.part"])
            self.assertEqual(bool(re.search(others, line)), found, line)
