# SPDX-License-Identifier: GPL-2.0
"""Lines of a console become the table of what areas do to all others."""

import csv
import unittest

from measure import placement
from measure.placement import Figure, Load, Values
from tests.case import Case

LOAD = Load("l", "what it is", "grow", [1, 2], [
    Figure("ns", "ms", 2, scale=1e6), Figure("scan", "pages scanned", 0),
    Figure("mib", "MiB", 10, more=True), Figure("per_mib", "a MiB", beside=1.5)])
CONSOLE = """\
guest: begin: /bench l grow:1 1 1 2
bench: place l ns 3000000
bench: place l pgscan_kswapd 4
bench: place l pgscan_direct 5
bench: place l pgsteal_kswapd 1
bench: place l pgsteal_direct 1
bench: place l mib 10
bench: place other mib 99
"""


def values(*consoles):
    out = Values()
    for console in consoles:
        out.read(console.splitlines(), "l")
    return out


class Read(unittest.TestCase):
    def test_lines_of_this_load_only(self):
        self.assertEqual(values(CONSOLE).values["mib"], [10])

    def test_figures_are_made_of_others(self):
        found = values(CONSOLE).values
        self.assertEqual((found["scan"], found["steal"], found["per_mib"]), ([9], [2], [300000]))

    def test_seeds_are_sorted_and_scaled(self):
        other = CONSOLE.replace("ns 3000000", "ns 1000000")
        self.assertEqual(values(CONSOLE, other).of(LOAD.figures[0]), [1, 3])

    def test_what_went_wrong_is_named(self):
        self.assertEqual(values("bench: bad l no disk\nbench: bad m x\n").bad, ["no disk"])


class Table(Case):
    def rows(self, **columns):
        return placement.rows([LOAD], {("l", name): v for name, v in columns.items()})

    def test_goals(self):
        rows = self.rows(none=values(CONSOLE), ours=values(CONSOLE))
        self.assertEqual([row[5:] for row in rows], [
            ["2", "no"], ["0", "no"], ["10", "yes"], ["450000", "yes"]])

    def test_a_figure_that_is_missing_keeps_no_goal(self):
        self.assertEqual([row[-1] for row in self.rows(ours=Values())], ["no", "no", "no", ""])

    def test_what_did_not_run_has_no_verdict(self):
        self.assertEqual({row[-1] for row in self.rows(mainline=values(CONSOLE))}, {""})

    def test_several_seeds_give_median_and_range(self):
        self.assertEqual(placement.text([1, 2.5, 400]), "2.5 (1-400)")

    def test_each_line_says_its_load_once(self):
        lines = placement.table([LOAD], self.rows(ours=values(CONSOLE)))
        self.assertEqual(sum(line.startswith("l: what it is") for line in lines), 1)

    def test_csv_names_the_kernel(self):
        path = self.folder() / "table.csv"
        placement.write_csv(self.rows(ours=values(CONSOLE)), "Linux 6.12.1", path)
        self.assertEqual(next(csv.reader(path.read_text().splitlines())), [
            "load", "figure", "no area", "Linux 6.12.1", "this", "goal", "holds"])

    def test_some_loads_take_the_place_of_theirs(self):
        first, second = (load.name for load in placement.LOADS[:2])
        known = [[first, "old"], [second, "old"], ["gone", "old"]]
        self.assertEqual(placement.merged(known, [[first, "new"]]),
                         [[first, "new"], [second, "old"]])


class Loads(unittest.TestCase):
    def test_a_load_that_does_not_exist_is_named(self):
        with self.assertRaisesRegex(ValueError, "unknown load nope; there are steps"):
            placement.chosen("steps,nope")

    def test_no_name_stands_for_all(self):
        self.assertEqual(placement.chosen(""), placement.LOADS)

    def test_the_seed_is_in_the_command(self):
        self.assertEqual(LOAD.commands(3), ["/bench l grow:3 1 1 2"])
