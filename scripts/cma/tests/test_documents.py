# SPDX-License-Identifier: GPL-2.0
"""What the kernel's own lists have to say about files and options of ours, and
what our pages say: figures that were measured, and nobody typed."""

import re
import tempfile
import unittest
from pathlib import Path

import bench
from lab import boards, kbuild, skips
from measure import cases, figures, pages, report
from stages.stage import STAGES
from trees import bases, overlay, series

PARAMETERS = "Documentation/admin-guide/kernel-parameters.txt.diff"
# In the kernel's file as it is.
KNOWN = {"cma", "cma_pernuma", "crashkernel", "numa_cma"}
PAGE_ALLOC = "mm/page_alloc.c.diff"
TESTING = "Documentation/mm/cma-testing.rst"


def whole_files():
    files = overlay.Overlay(kbuild.REPO, kbuild.TOP).files
    return [path for path, (_, edit) in files.items() if not edit]


def added(diff):
    text = (kbuild.REPO / diff).read_text()
    return "\n".join(line[1:] for line in text.splitlines() if line.startswith("+"))


class Maintainers(unittest.TestCase):
    def setUp(self):
        self.patterns = re.findall(r"^F:\t(.*)$", added("MAINTAINERS.diff"), re.M)
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


def our_pages():
    """(name, text) of all that a person reads."""
    names = [path for path in whole_files()
             if path.startswith("Documentation/") and not path.endswith(".csv")]
    return [(name, (kbuild.REPO / name).read_text())
            for name in ["README.md", *names]]


def prose(text):
    """Without the figures that a command writes, and what is to be typed."""
    for name in pages.BLOCKS:
        text = pages.between(name).sub("", text)
    text = re.sub(r"::\n(?:\n|[ \t]+.*\n)+|^(?: {4}|\t\t).*\n", "\n", text,
                  flags=re.M)
    return re.sub(r"``[^`]*``|`[^`]*`|Linux [\d.]+|linux-source-[\d.]+", "", text)


def typed(text, measured):
    """What stands in a page as if somebody had measured it: a number in a
    sentence about instructions, how long something took, a figure of ours."""
    sentences = re.split(r"(?<=[.:;?!])\s+|\n\s*\n|\|\n", prose(text))
    found = [s for s in sentences
             if re.search(r"\binstructions?\b", s)
             and re.search(r"(?<![\w-])\d", s)]
    found += [s for s in sentences if re.search(
        r"\b(?:took|takes|within) (?:some |about )?\d[\d.]* (?:ms|seconds|minutes)", s)]
    found += [s for s in sentences
              if measured & set(re.findall(r"(?<![\w.])\d+\.\d+(?![\w.])", s))]
    return found


class Figures(unittest.TestCase):
    """Documentation/mm/cma-figures.csv has them, all pages show what it has."""

    def setUp(self):
        self.figures = pages.of_page(kbuild.REPO)

    def test_pages_are_picked_from_the_file(self):
        for path, text in ((pages.FIGURES, pages.figures_page(self.figures)),
                           (pages.CASES, pages.cases_page()),
                           (pages.PATHS, pages.paths_page(self.figures))):
            self.assertEqual((kbuild.REPO / path).read_text(), text, path)

    def test_readme(self):
        text = (kbuild.REPO / pages.README).read_text()
        for name in pages.BLOCKS:
            self.assertEqual(len(pages.between(name).findall(text)), 1, name)
        self.assertEqual(text, pages.readme(text, self.figures))

    def test_what_the_first_screen_shows_was_measured(self):
        for words, keys in pages.FIRST:
            for key in keys:
                for side in "mainline", "ours":
                    self.assertTrue(self.figures.get(*key, side), words)

    def test_all_cases_were_measured(self):
        self.assertEqual(list(dict.fromkeys(
            row["case"] for row in self.figures.rows)),
            [case.name for case in cases.all_cases()])

    def test_a_page_that_differs_is_found(self):
        row = next(row for row in self.figures.rows if row["case"] == "free")
        row["ours"] = "0.01"
        text = (kbuild.REPO / pages.README).read_text()
        self.assertNotEqual(text, pages.readme(text, self.figures))
        self.assertNotEqual((kbuild.REPO / pages.PATHS).read_text(),
                            pages.paths_page(self.figures))

    def test_nobody_types_them(self):
        measured = {row[side] for row in self.figures.rows
                    for side in ("mainline", "ours")}
        for name, text in our_pages():
            self.assertEqual(typed(text, measured), [], name)

    def test_what_counts_as_typed(self):
        for text in ("4 KiB take 1260 instructions.", "It took 326 seconds.",
                     "It is 1.47 now.", "| free | 1.47 |\n"):
            self.assertTrue(typed(text, {"1.47"}), text)
        for text in ("Instructions of a Cortex-A15.", "It waits for 500 ms.",
                     "Linux 6.12.117", "See::\n\n\ttook 3 seconds\n\nHere.",
                     "<!-- figures:begin -->\n| 1.47 |\n<!-- figures:end -->"):
            self.assertEqual(typed(text, {"1.47", "6.12"}), [], text)


class Written(unittest.TestCase):
    """A run of bench.py becomes the pages."""

    def results(self, text):
        found = figures.Results()
        found.read(text.splitlines())
        return found

    def test_from_a_table_to_the_pages(self):
        free = next(c for c in cases.all_cases() if c.name == "free")
        rows = figures.rows([free], cases.GOALS, self.results(
            "bench: sample free 4096 47600 990"), self.results(
            "bench: sample free 4096 1472 608"))
        with tempfile.TemporaryDirectory() as tmp:
            repo = Path(tmp)
            (repo / pages.FOLDER).mkdir(parents=True)
            (repo / pages.README).write_text("".join(
                f"<!-- {name}:begin -->\nold\n<!-- {name}:end -->\n"
                for name in pages.BLOCKS))
            report.write_csv(rows, repo / "table.csv")
            pages.write(pages.of_table(repo / "table.csv", "Linux 1.2"), repo)
            self.assertIn("free,4 KiB,alloc,47.6,1.47,0.03,4.00,yes\n",
                          (repo / pages.FIGURES).read_text())
            self.assertIn("| 47.6 / 0.99 | 1.47 / 0.61 |",
                          (repo / pages.README).read_text())
            self.assertNotIn("old", (repo / pages.README).read_text())
            self.assertEqual(pages.of_page(repo).peer, "Linux 1.2")

    def test_only_a_whole_run_does(self):
        whole = self.results("".join(
            f"bench: sample {c.name} {kib * 1024} 1 1\n"
            f"bench: refused {c.name} {kib * 1024} 1\n"
            f"bench: count {c.name} {kib * 1024} 1\n"
            f"bench: rate {c.name} {kib * 1024} 1 0 1\n"
            for c in cases.all_cases() for kib in c.sizes))
        part = self.results("bench: sample free 4096 1 1")
        self.assertTrue(bench.is_whole({"mainline": whole, "ours": whole}))
        self.assertFalse(bench.is_whole({"mainline": part, "ours": whole}))
        self.assertFalse(bench.is_whole({"ours": whole}))


class Pages(unittest.TestCase):
    def test_each_is_in_a_table_of_contents(self):
        for path in whole_files():
            page = Path(path)
            if page.suffix == ".rst":
                self.assertIn(f"   {page.stem}\n",
                              added(page.with_name("index.rst.diff")) + "\n")

    def test_all_stages_boards_and_skips_are_explained(self):
        text = (kbuild.REPO / TESTING).read_text()
        for said, names in (
                (re.findall(r"^``(\S+)``  ", text, re.M),
                 [*STAGES, *boards.BOARDS]),
                (re.findall(r"^(\w.*?)  +\S.*$", text.partition("\nSkips\n")[2]
                            .partition("\nFigures\n")[0], re.M)[1:],
                 [*skips.NEEDS])):
            self.assertEqual(set(names) - set(said), set())
            self.assertEqual({name for name in set(said) - set(names)
                              if not name.startswith("cma_")}, set())

    def test_readme_counts_the_lines_of_the_page_allocator(self):
        readme = " ".join((kbuild.REPO / pages.README).read_text().split())
        for name, kernel in ((f"versions/6.12/{PAGE_ALLOC}", "6.12"),
                             (PAGE_ALLOC, bases.NEWEST)):
            edit = (kbuild.REPO / name).read_text().partition("\n@@")[2]
            more, fewer = (len(re.findall(rf"^{re.escape(sign)}", edit, re.M))
                           for sign in "+-")
            self.assertIn(f"{more} lines to `mm/page_alloc.c` of Linux {kernel} "
                          f"and takes {fewer} away", readme)


if __name__ == "__main__":
    unittest.main()
