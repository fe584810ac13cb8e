# SPDX-License-Identifier: GPL-2.0
"""What the kernel's own lists have to say about files and options of ours, and
what our pages say: figures that were measured, and nobody typed."""

import itertools
import re
import unittest
from pathlib import Path
from unittest import mock

import bench
from lab import boards, kbuild, skips
from measure import cases, figures, letter, pages
from stages.stage import STAGES
from tests.case import Case
from tests.test_bench import results
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

    def test_every_file_is_covered_and_every_pattern_covers_one(self):
        covered = [(pattern, path) for pattern in self.patterns for path in self.files
                   if series.matches(pattern, path)]
        self.assertEqual({path for _, path in covered}, set(self.files))
        self.assertEqual({pattern for pattern, _ in covered}, set(self.patterns))

    def test_they_are_in_order(self):
        self.assertEqual(self.patterns, sorted(self.patterns))


class Functions(unittest.TestCase):
    """What a page includes from a source file is there."""

    def test_they_are_where_pages_look(self):
        missing = []
        for page in sorted((kbuild.REPO / "Documentation").rglob("*.rst")):
            for path, names in re.findall(
                    r"^\.\. kernel-doc:: (\S+)\n   :identifiers: (.*)$",
                    page.read_text(), re.M):
                found = re.findall(r"^ \* (\w+)\(\) - ",
                                   (kbuild.REPO / path).read_text(), re.M)
                missing += [(path, name) for name in names.split()
                            if name not in found]
        self.assertEqual(missing, [])


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
    """Documentation/mm/cma-figures-N.M.csv have them, all pages show what these have."""

    def setUp(self):
        self.known = pages.of_pages(kbuild.REPO)

    def test_each_kernel_has_some(self):
        self.assertEqual([bases.series(table.kernel) for table in self.known],
                         pages.KERNELS)

    def test_they_are_as_a_run_writes_them(self):
        for table in self.known:
            path = kbuild.REPO / pages.csv_file("figures", table.kernel)
            self.assertEqual(path.read_text(), pages.figures_page(table), path)

    def test_pages_are_picked_from_them(self):
        for path, text in pages.texts(kbuild.REPO).items():
            self.assertEqual((kbuild.REPO / path).read_text(), text, path)

    def test_readme_has_a_place_for_each_table(self):
        text = (kbuild.REPO / pages.README).read_text()
        for name in pages.BLOCKS:
            self.assertEqual(len(pages.between(name).findall(text)), 1, name)

    def test_a_page_includes_each_file(self):
        text = "".join(text for _, text in our_pages())
        for path in (kbuild.REPO / pages.FOLDER).glob("*.csv"):
            self.assertEqual(text.count(f"   :file: {path.name}\n"), 1, path)

    def test_what_the_first_screen_shows_was_measured(self):
        for words, keys in pages.FIRST:
            for table, key, side in itertools.product(
                    self.known, keys, ("mainline", "ours")):
                self.assertTrue(table.get(*key, side), (table.kernel, words))

    def test_all_cases_were_measured(self):
        for table in self.known:
            self.assertEqual(list(dict.fromkeys(row["case"] for row in table.rows)),
                             [case.name for case in cases.all_cases()], table.kernel)

    def test_a_page_that_differs_is_found(self):
        for table in self.known:
            row = next(row for row in table.rows if row["case"] == "free")
            kept, row["ours"] = row["ours"], "0.01"
            text = (kbuild.REPO / pages.README).read_text()
            self.assertNotEqual(text, pages.readme(text, self.known))
            self.assertNotEqual(
                (kbuild.REPO / pages.csv_file("figures-arm", table.kernel)).read_text(),
                pages.paths_page(table))
            row["ours"] = kept

    def test_nobody_types_them(self):
        measured = {row[side] for table in self.known for row in table.rows
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


class Slower(unittest.TestCase):
    """README's table of all figures in which the kernel's own is better."""

    def figures(self, peer, *rows):
        keys = ("case", "size", "figure", "mainline", "ours", "ratio")
        return pages.Figures([dict(zip(keys, row)) for row in rows], peer)

    def test_of_two_kernels(self):
        text = pages.slower([
            self.figures("Linux 1.2", ("free", "4 KiB", "alloc", "2.00", "3.00", "1.50"),
                         ("free", "4 KiB", "free", "4.00", "1.00", "0.25")),
            self.figures("Linux 3.4", ("free", "4 KiB", "alloc", "4.00", "3.00", "0.75"),
                         ("halves", "1 MiB", "buffers", "9", "8", "0.89"),
                         ("halves", "4 MiB", "buffers", "7", "8", "1.14"))])
        head, _, *lines = text.splitlines()
        self.assertIn("in 1 of 2 and 1 of 3 figures | | Linux 1.2 | this | Linux 3.4 | this |",
                      head)
        self.assertEqual([line.split(" | ", 1)[1] for line in lines], [
            "alloc | 2.00 | 3.00 |  |  |", "buffers |  |  | 9 | 8 |"])


class Written(Case):
    """A run of bench.py becomes the pages."""

    def setUp(self):
        self.repo = self.folder({pages.README: "".join(
            f"<!-- {name}:begin -->\nold\n<!-- {name}:end -->\n" for name in pages.BLOCKS)})
        (self.repo / pages.FOLDER).mkdir(parents=True)

    def table(self, peer, name, mainline, ours):
        case = next(c for c in cases.all_cases() if c.name == name)
        rows = figures.rows([case], cases.GOALS, results(mainline), results(ours))
        return pages.of_rows(rows, peer)

    def text(self, path):
        return (self.repo / path).read_text()

    def test_from_a_table_to_the_pages(self):
        pages.write(self.table("Linux 6.12.1", "free", "bench: sample free 4096 47600 990",
                               "bench: sample free 4096 1472 608"), self.repo)
        self.assertIn("free,4 KiB,alloc,47.6,1.47,0.03,4.00,yes\n",
                      self.text(pages.csv_file("figures", "6.12")))
        self.assertIn("| 47.6 / 0.99 | 1.47 / 0.61 |", self.text(pages.README))
        self.assertNotIn("old", self.text(pages.README))
        self.assertEqual(pages.of_page("6.12", self.repo).peer, "Linux 6.12.1")

    def test_two_kernels_side_by_side(self):
        for kernel, time in (("6.12.1", 30), ("7.3.4", 20)):
            line = f"bench: sample free 4096 {time}000 1000"
            pages.write(self.table(f"Linux {kernel}", "free", line, line), self.repo)
        self.assertIn("| 30.0 / 1.00 | 30.0 / 1.00 | 20.0 / 1.00 | 20.0 / 1.00 |",
                      self.text(pages.README))
        for kernel, time in (("6.12", "30.0"), ("7.3", "20.0")):
            self.assertIn(f"free,4 KiB,alloc,{time},",
                          self.text(pages.csv_file("figures", kernel)))

    def test_one_case_again(self):
        line = "bench: sample {0} 4096 1000 1000\nbench: sample {0} 65536 {1} 1000"
        tables = [self.table("Linux 7.3.4", name, line.format(name, 1000),
                             line.format(name, time))
                  for name, time in (("free", 1000), ("kept", 1000), ("free", 5000))]
        both = pages.merged(tables[0], tables[1])
        again = pages.merged(both, tables[2])
        self.assertEqual(list(dict.fromkeys(row["case"] for row in again.rows)),
                         ["free", "kept"])
        self.assertEqual(len(again.rows), len(both.rows))
        self.assertEqual([figures.get("free", "64 KiB", "alloc", "ours")
                          for figures in (both, again)], ["1.00", "5.00"])

    def to_pages(self, peer, wanted=("free",)):
        known = pages.Figures([{"case": case, "size": "", "figure": ""}
                               for case in ("free", "kept")], "Linux 7.3.4")
        with mock.patch.multiple(pages, of_page=lambda _: known, write=mock.DEFAULT,
                                 of_rows=lambda _, peer: pages.Figures([], peer)) as mocks:
            bench.to_pages([], wanted, peer)
            return mocks["write"].called

    def test_figures_of_two_releases_do_not_mix(self):
        self.assertTrue(self.to_pages("Linux 7.3.4"))
        self.assertTrue(self.to_pages("Linux 7.3.5", ("free", "kept")))
        with self.assertRaisesRegex(kbuild.BuildError, "want a run of all cases"):
            self.to_pages("Linux 7.3.5")
        with self.assertRaisesRegex(kbuild.BuildError, "no page has figures of Linux 9.9.1"):
            self.to_pages("Linux 9.9.1")

    def test_only_a_whole_run_does(self):
        names = [c.name for c in cases.all_cases()]
        whole = results("".join(
            f"bench: sample {c.name} {kib * 1024} 1 1 1 1\n"
            f"bench: refused {c.name} {kib * 1024} 1\n"
            f"bench: count {c.name} {kib * 1024} 1\n"
            f"bench: rate {c.name} {kib * 1024} 1 0 1\n"
            for c in cases.all_cases() for kib in c.sizes))
        part = results("bench: sample first 1048576 1 1")
        self.assertTrue(bench.is_whole({"mainline": whole, "ours": whole}, names))
        self.assertFalse(bench.is_whole({"mainline": part, "ours": whole}, names))
        self.assertTrue(bench.is_whole({"mainline": part, "ours": whole}, ["first"]))
        self.assertFalse(bench.is_whole({"ours": whole}, names))


class Letter(unittest.TestCase):
    """What goes ahead of the patches, for each kernel."""

    def setUp(self):
        self.letters = {kernel: series.read_cover(series.FOLDER, letter.blocks(kernel))
                        for kernel in pages.KERNELS}

    def test_it_fits_a_mail(self):
        for kernel, (subject, said) in self.letters.items():
            self.assertTrue((subject + said).isascii())
            self.assertEqual([line for line in [subject, *said.splitlines()]
                              if len(line) > letter.WIDTH], [], kernel)

    def test_it_has_the_figures_of_both_and_what_is_worse_on_its_own(self):
        for kernel, (_, said) in self.letters.items():
            table = pages.of_page(kernel)
            for other in pages.of_pages():
                self.assertIn(pages.pair(other, "ours", pages.FIRST[0][1]), said)
            _, head, rows = said.partition(f"\n{pages.count_of(table)} figures ")
            self.assertTrue(head)
            self.assertEqual(len(re.findall(r" [\d.]+ +[\d.]+$", rows, re.M)),
                             len(pages.slower_in(table)))

    def test_nobody_types_them(self):
        self.assertEqual(typed((Path(series.FOLDER) / series.COVER).read_text(), set()), [])

    def test_a_long_label_keeps_its_figures(self):
        lines = letter.row("what is measured " * 5, ["1.00", "2.00"])
        self.assertEqual(" ".join(lines[-1].split()[-2:]), "1.00 2.00")
        self.assertEqual({len(lines[-1])}, {letter.WIDTH})
        self.assertEqual(letter.row("x", ["1"]), ["x" + "1".rjust(letter.WIDTH - 1)])


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
