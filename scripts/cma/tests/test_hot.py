# SPDX-License-Identifier: GPL-2.0
"""Lines of a console become the table of what page allocations cost."""

import csv
import unittest
from unittest import mock

import bench
from lab import kbuild
from measure import hot, pages, placement
from tests.case import Case

NONE, OURS, AREA = hot.BASE, *hot.COLUMNS[:2]
PAIR = hot.FIGURES[0]


def console(**other):
    """What a guest prints; other: {figure: thousandths of an instruction}."""
    values = {figure.name: 400000 for figure in hot.FIGURES} | {
        name.replace("_", "-"): value for name, value in other.items()}
    return [f"bench: place {hot.LABEL} {name} {value}" for name, value in values.items()]


def found(odd=AREA, **other):
    """Every column is alike but for @odd."""
    out = {column: placement.Values() for column in [NONE, *hot.COLUMNS]}
    for column, values in out.items():
        values.read(console(**(other if column == odd else {})), hot.LABEL)
    return out


class Verdict(unittest.TestCase):
    def test_rows_that_hold_and_rows_that_miss(self):
        for thousandths, holds, more in ((400000, "yes", "+0.00"), (390000, "yes", "-2.50"),
                                         (404000, "yes", "+1.00"), (404040, "no", "+1.01")):
            values = found(kernel_pair_0=thousandths)
            head, line, *others = hot.rows(values, "Linux 1.2")
            self.assertEqual((line[-1], line[head.index(AREA.title) + 1]), (holds, more))
            self.assertEqual({other[-1] for other in others}, {"yes"})
            self.assertEqual(len(hot.missed(values)), holds == "no")

    def test_each_column_has_its_goal(self):
        """The kernel's own has none."""
        for column, other, missed in (
                (AREA, {"kernel_pair_0": 420000}, [
                    "GFP_KERNEL, order 0, alone; this, area: +5.00 %, goal 1 %"]),
                (OURS, {"unmap_16384": 402000}, [
                    "unmap of a page of 16 MiB of anonymous memory; this, no area: +0.50 %, "
                    "goal 0.2 %"]),
                (hot.COLUMNS[3], {"fault_16384": 900000}, [])):
            self.assertEqual(hot.missed(found(column, **other)), missed)

    def test_a_figure_that_is_missing_is_named_and_keeps_no_goal(self):
        values = found()
        del values[AREA].values[PAIR.name]
        self.assertEqual(hot.missing(values), [
            "this, area: no figure for GFP_KERNEL, order 0, alone"])
        self.assertEqual(hot.rows(values, "x")[1][-1], "no")

    def test_without_the_first_column_no_goal_is_kept(self):
        values = found()
        del values[NONE]
        self.assertEqual({line[-1] for line in hot.rows(values, "x")[1:]}, {"no"})

    def test_nothing_is_missing_in_a_whole_run(self):
        self.assertEqual(hot.missing(found()), [])


class Table(unittest.TestCase):
    def test_it_names_the_kernel_and_shows_one_digit(self):
        head, line, *_ = hot.rows(found(), "Linux 1.2.3")
        self.assertIn("Linux 1.2.3, area", head)
        self.assertEqual(line[:4], [PAIR.unit, "400.0", "400.0", "+0.00"])


class Run(Case):
    """bench.py --hot, without kernels and boards."""

    def run_it(self, lines):
        def boot(run, program):
            run.lines, run.problems = lines, []

        self.repo = self.folder()
        (self.repo / pages.FOLDER).mkdir(parents=True)
        self.patch({"bench.Run.run": boot, "bench.OUT": self.folder(),
                    "trees.bases.REPO": self.repo, "builtins.print": mock.Mock(),
                    "lab.kbuild.guest_module": mock.Mock(return_value=b""),
                    "measure.pages.kernel_of": lambda _: "Linux 6.12.1"})
        return bench.run_hot(b"")

    def test_a_whole_run_writes_its_page(self):
        self.assertTrue(self.run_it(console()))
        with open(self.repo / pages.FOLDER / "cma-hot-6.12.csv", newline="") as page:
            self.assertEqual(list(csv.reader(page)), hot.rows(found(), "Linux 6.12.1"))

    def test_one_that_lacks_figures_does_not(self):
        self.assertFalse(self.run_it(console()[1:]))
        self.assertEqual(list((self.repo / pages.FOLDER).iterdir()), [])
        self.assertIn("FAILED CMA=n: no figure for", (bench.OUT / "hot.txt").read_text())


class Configs(Case):
    def check(self, **configs):
        build = self.folder({f"obj-{side}/.config": "\n".join(lines)
                             for side, lines in configs.items()})
        with mock.patch.object(kbuild, "BUILD", build):
            bench.check_configs({side: side for side in configs})

    def test_only_one_without_an_allocator_may_lack_it(self):
        ours = ["CONFIG_CMA=y", "CONFIG_SMP=y"]
        self.check(ours=ours, none=["CONFIG_SMP=y"])
        for side, lines in (("none", ["CONFIG_CMA=y"]), ("mainline", ["CONFIG_SMP=y"])):
            with self.assertRaisesRegex(kbuild.BuildError, "not configured alike"):
                self.check(ours=ours, **{side: lines})
