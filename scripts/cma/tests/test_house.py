# SPDX-License-Identifier: GPL-2.0
"""The storeys of Documentation/mm/cma.rst: each knows only those below it."""

import re
import unittest
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]

# Names of the page allocator, not of the areas, though they say cma.
PAGE_ALLOCATOR = re.compile(
    r"\b(?:is_migrate_cma(?:_page)?|MIGRATE_CMA|NR_FREE_CMA_PAGES|ALLOC_CMA|"
    r"cma_pages|cma_lru|CMA_FILL_(?:SCANNED|MOVED)|"
    r"CONFIG_(?:FAIL_)?CMA|CONTIG_BLOCKS_CMA|\w*fail_cma\w*)\b")
# The interface with huge pages: an area hands out and takes back a folio.
FOLIO_INTERFACE = re.compile(
    r"\b(?:page_folio|folio_test_large|folio_nr_pages|cma_\w*folio\w*)\b")


def code(path):
    """A C file without its comments and strings."""
    return re.sub(r'/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', "",
                  path.read_text(), flags=re.S)


def files(folder):
    found = sorted((REPO / folder).glob("*.[ch]"))
    assert found, folder
    return found


class HouseTest(unittest.TestCase):

    def check(self, folder, pattern, allowed=None, skip=()):
        for path in files(folder):
            if path.name in skip:
                continue
            text = code(path)
            if allowed:
                text = allowed.sub("", text)
            self.assertEqual(re.findall(pattern, text), [], path)

    def test_ranges_of_pages_know_no_area(self):
        self.check("mm/contig", r"\bcma_\w+|\bCMA_\w+|struct cma\b",
                   PAGE_ALLOCATOR)

    def test_ranges_of_pages_include_their_own(self):
        for path in files("mm/contig"):
            for name in re.findall(r'#include "(.*)"', path.read_text()):
                if path.name != "kernel.h":
                    self.assertIn(name, ["kernel.h", "contig.h", "describe.h", "folio.h",
                                         "hooks.h", "evicted.h", "store.h", "trace.h"], path)

    def test_areas_know_no_folios(self):
        self.check("mm/cma", r"\bfolio_\w+\(|\blruvec\w*|\btry_to_unmap\w*",
                   FOLIO_INTERFACE, skip=["placement.h"])

    def test_areas_know_no_devices(self):
        self.check("mm/cma", r"struct device\b|\bdma_\w+\(")

    def test_numbers_know_no_pages(self):
        for name in ("range.c", "range.h", "parse.c", "parse.h"):
            self.assertEqual(re.findall(r"struct (?:page|folio|zone)\b",
                                        code(REPO / "mm/cma" / name)), [])

    def test_devices_know_no_free_lists(self):
        for folder in ("drivers/base", "arch/arm/mm"):
            for path in sorted((REPO / folder).glob("dma-*.[ch]")):
                self.assertEqual(re.findall(r"\bcontig_\w+\(", code(path)),
                                 [], path)
                self.assertNotRegex(path.read_text(),
                                    r'#include ".*(?:contig/|cma/internal)')

    def test_rooms_are_small(self):
        for folder in ("mm/contig", "mm/cma", "drivers/base", "arch/arm/mm"):
            for path in files(folder):
                lines = path.read_text().count("\n")
                self.assertLessEqual(lines, 700, path)
