# SPDX-License-Identifier: GPL-2.0
"""Messages are found in the source, in the manual, and in the logs."""

import unittest
from pathlib import Path

from lab import kbuild
from stages import messages
from tests.case import Case

PAGES = ["Documentation/admin-guide/mm/cma.rst",
         "Documentation/admin-guide/mm/cma-boards.rst"]
SOURCE = r'''
	pr_err("%s: base %pa is not "
	       "aligned to %pa\n", name, &base, &alignment);
	dev_err_ratelimited(dev, "cma: no area of \"%s\"\n", type);
	pr_info("%s\n", text);
	return wrong ? "a number is missing" : NULL;
'''


class Source(Case):
    def formats(self, name):
        return messages.formats(self.folder({name: SOURCE}) / name)

    def test_formats(self):
        self.assertEqual(self.formats("mm/cma/reserve.c"), [
            "%s: base %pa is not aligned to %pa", 'cma: no area of "%s"'])

    def test_reasons_of_the_parser(self):
        self.assertIn("a number is missing", self.formats("mm/cma/parse.c"))

    def test_what_varies(self):
        self.assertEqual(messages.longest("%s: base %pa is not aligned to %#lx"),
                         "is not aligned to")
        self.assertEqual(messages.longest("%s: %d"), "")

    def test_there_are_some(self):
        files = {str(path) for path in messages.of_tree(kbuild.REPO).values()}
        self.assertLessEqual({"mm/cma/reserve.c", "mm/cma/parse.c",
                              "mm/cma/failure.c",
                              "drivers/base/dma-areas-of.c"}, files)


class Manual(unittest.TestCase):
    def test_it_explains_each(self):
        said = messages.flat("\n".join((kbuild.REPO / page).read_text() for page in PAGES))
        self.assertEqual(
            [f"{path}: {fmt}"
             for fmt, path in messages.of_tree(kbuild.REPO).items()
             if messages.flat(messages.longest(fmt)) not in said], [])


class Provoked(unittest.TestCase):
    FORMATS = {"%s: base %pa is not aligned to %pa": Path("mm/cma/reserve.c"),
               "a number is missing": Path("mm/cma/parse.c")}

    def test_what_is_missing(self):
        base, _ = self.FORMATS
        for what, log, named, missing in (
                ("a log has both", "[ 0.0] cma: x: base 0x10 is not aligned to 0x1000\n"
                 '[ 0.0] cma: "cma=" ignored: a number is missing\n', "", []),
                ("no message goes on in another line",
                 "cma: x: base 0x1\ncma: is not aligned to 0x2\n", "a number is missing", [base]),
                ("only the parser's own tests count",
                 "", "a number is missing base is not aligned to", [base])):
            with self.subTest(what):
                self.assertEqual(messages.not_provoked(self.FORMATS, [log], named), missing)
