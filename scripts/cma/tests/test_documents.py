# SPDX-License-Identifier: GPL-2.0
"""What the kernel's own lists have to say about files and options of ours."""

import re
import unittest

from lab import kbuild
from trees import overlay, series

PARAMETERS = "Documentation/admin-guide/kernel-parameters.txt.diff"
# In the kernel's file as it is.
KNOWN = {"cma", "cma_pernuma", "crashkernel", "numa_cma"}


def whole_files():
    files = overlay.Overlay(kbuild.REPO, kbuild.BUILD).files
    return [path for path, (_, edit) in files.items() if not edit]


def added(diff):
    text = (kbuild.REPO / diff).read_text()
    return "\n".join(line[1:] for line in text.splitlines()
                     if line.startswith("+"))


class Maintainers(unittest.TestCase):
    def setUp(self):
        self.patterns = re.findall(r"^F:\t(.*)$", added("MAINTAINERS.diff"),
                                   re.M)
        self.files = whole_files()

    def test_every_file_is_covered(self):
        self.assertEqual([path for path in self.files if not any(
            series.matches(pattern, path) for pattern in self.patterns)], [])

    def test_every_pattern_covers_a_file(self):
        self.assertEqual([pattern for pattern in self.patterns if not any(
            series.matches(pattern, path) for path in self.files)], [])

    def test_they_are_in_order(self):
        self.assertEqual(self.patterns, sorted(self.patterns))


class Parameters(unittest.TestCase):
    def test_every_one_is_documented(self):
        documented = re.findall(r"^\t(\w+)=", added(PARAMETERS), re.M)
        found = set()
        for path in whole_files():
            if path.endswith(".c"):
                found.update(re.findall(
                    r"^(?:early_param|__setup)\(\"(\w+)=?\"",
                    (kbuild.REPO / path).read_text(), re.M))
        self.assertEqual(found - KNOWN, set(documented))
