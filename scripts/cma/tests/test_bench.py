# SPDX-License-Identifier: GPL-2.0
"""Lines of a console become the right figures; what is missing is named."""

import csv
import re
import unittest
from pathlib import Path
from unittest import mock

import bench
from lab import kbuild
from measure import cases, figures, hot, placement, report
from stages import kernel_tests, use
from tests.case import Case
from trees import bases

KIB4 = cases.Case("c", "what it is", "free", 3, [4])
CONSOLE = """\
guest: begin: /bench c free 3 4
bench: sample c 4096 5000 1000
bench: sample c 4096 9000 3000
bench: sample c 4096 4000 2000
bench: failed c 4096 70000 1
guest: end 0: /bench c free 3 4
"""
RATES = ("bench: rate threads-1 65536 1000 0 2000000000\n"
         "bench: rate threads-4 65536 3000 9 4000000000")
NO_FAILURE = re.sub(r"bench: failed.*\n", "", CONSOLE)


def results(text):
    out = figures.Results()
    out.read(text.splitlines())
    return out


def rows(mainline, ours, goals=None, case=KIB4):
    return figures.rows([case], goals or {}, mainline and results(mainline),
                        ours and results(ours))


class Configs(unittest.TestCase):
    def test_what_only_our_tree_has_is_known(self):
        only_ours = {f for f in kbuild.OURS_ONLY if f in kbuild.KERNELS["arm"].fragments}
        self.assertTrue(only_ours)
        for fragment in only_ours:
            text = (kbuild.REPO / fragment).read_text()
            symbols = set(re.findall(r"^CONFIG_(\w+)=", text, re.M))
            self.assertLessEqual(symbols, bench.OURS, fragment)


# Each row has lines of the console, case, KiB and {figure: its value}.
FIGURES = {
    "median, average and worst are of what succeeded": (
        CONSOLE, "c", 4, {"median": 5, "average": 6, "worst": 9}),
    "free is a median": (CONSOLE, "c", 4, {"free": 2}),
    "sum is of each request and what follows": (
        "bench: sample c 4096 1000 7 9000\nbench: sample c 4096 2000 7 0\n"
        "bench: sample c 4096 3000 7 500", "c", 4, {"sum": 3.5}),
    "own time is no part of the sum, and has a mean": (
        "bench: sample c 4096 5000 7 0 1000\nbench: sample c 4096 5000 7 0 4000",
        "c", 4, {"own": 2.5, "sum": 5}),
    "own time that is not known": (CONSOLE, "c", 4, {"own": None}),
    "sum without anything that follows": (CONSOLE, "c", 4, {"sum": 5}),
    "failed requests are counted": (CONSOLE, "c", 4, {"failed": 1}),
    "failed requests are no time": (
        "bench: failed c 4096 70000 1", "c", 4, {"median": None, "free": None}),
    "requests that found no room are none that failed": (
        "bench: sample c 4096 1000 0\n"
        "bench: refused c 4096 7000\nbench: refused c 4096 5000",
        "c", 4, {"refused": 7, "failed": 0, "worst": 1}),
    "even number of samples": (
        "bench: sample c 4096 1000 0\nbench: sample c 4096 2000 0", "c", 4, {"median": 1.5}),
    "count": ("bench: count c 8388608 3", "c", 8192, {"count": 3}),
    "no buffer at all is a count, too": ("bench: count c 8388608 0", "c", 8192, {"count": 0}),
    "rate of one thread": (RATES, "threads-1", 64, {"rate": 1}),
    "rate is a multiple of one thread": (RATES, "threads-4", 64, {"rate": 1.5}),
    "rate without one thread": (
        "bench: rate threads-4 65536 3000 0 4000000000", "threads-4", 64, {"rate": None}),
    "sizes do not mix": (
        "bench: sample c 4096 1000 0\nbench: sample c 8192 2000 0", "c", 8, {"median": 2}),
}


class Figures(unittest.TestCase):
    def test_figures(self):
        for what, (text, case, kib, wanted) in FIGURES.items():
            found = results(text)
            for name, value in wanted.items():
                with self.subTest(what, figure=name):
                    self.assertEqual(found.figure(case, kib, name), value)

    def test_lines_of_others(self):
        self.assertEqual(
            results("random: crng init done\n# bench: sample\nbench:\n").samples, {})


class Rows(unittest.TestCase):
    def test_ratio(self):
        row = rows(CONSOLE, CONSOLE.replace(" 5000 ", " 2500 ").replace(" 4000 ", " 1000 "))[0]
        self.assertEqual((row.mainline, row.ours, row.ratio), (5, 2.5, 0.5))

    def test_one_kernel_has_no_ratio(self):
        row = rows(None, CONSOLE)[0]
        self.assertIsNone(row.mainline)
        self.assertIsNone(row.ratio)

    def test_failed_calls_appear_only_when_there_are_some(self):
        self.assertNotIn("failed", [r.figure for r in rows(NO_FAILURE, NO_FAILURE)])
        for row, name in zip(rows(NO_FAILURE, CONSOLE)[-2:], ("failed", "avoidable")):
            self.assertEqual((row.figure, row.mainline, row.ours), (name, 0, 1))
            self.assertIsNone(row.ratio)

    def test_goals(self):
        count = cases.Case("c", "", "halves", 1, [4], ("count",))
        three = "bench: count c 4096 3"
        all_failed = re.sub(r"bench: sample.*\n", "", CONSOLE)
        for what, mainline, ours, goal, holds, *case in (
                ("it holds", None, NO_FAILURE, 5, True),
                ("it does not", None, NO_FAILURE, 4.9, False),
                ("there is none", None, NO_FAILURE, None, None),
                ("what should be large is", None, three, 3, True, count),
                ("what should be large is not", None, three, 4, False, count),
                ("mainline alone has none", CONSOLE, None, 100, None),
                ("no figure misses it", CONSOLE, "guest: done\n", 100, False),
                ("no figure of ours alone misses it", None, "guest: done\n", 100, False),
                ("a failed request misses it", NO_FAILURE, CONSOLE, 100, False),
                ("so do all of them", NO_FAILURE, all_failed, 100, False),
                ("one of mainline's does not", CONSOLE, NO_FAILURE, 100, True)):
            with self.subTest(what):
                row = rows(mainline, ours, {("c", 4, "median"): (goal, 1),
                                            ("c", 4, "count"): (goal, None)}, *case)[0]
                self.assertIs(row.holds, holds)
                self.assertEqual(row.figure, "count" if case else "median")
                if ours == "guest: done\n":
                    self.assertIsNone(row.ours)


class Table(Case):
    def test_lines(self):
        lines = report.table(rows(CONSOLE, NO_FAILURE,
                                  {("c", 4, "median"): (4, 0.7),
                                   ("c", 4, "free"): (2, None)}))
        text = "\n".join(lines)
        self.assertIn("c: what it is", text)
        self.assertRegex(text, r"4 KiB  alloc +5\.00  5\.00 +1\.00 +4\.00"
                               r" +0\.70  MISSED")
        self.assertRegex(text, r"free +2\.00  2\.00 +1\.00 +2\.00 +holds")
        self.assertRegex(text, r"failed calls +1 +0\n"
                         r".*of those avoidable +1 +0$")
        self.assertEqual(len({line.index("alloc") for line in lines if "alloc" in line}), 1)

    def test_columns_are_as_wide_as_their_cells(self):
        self.assertEqual(report.aligned([["a", "1"], ["bb", "22"]], {0}), ["a    1", "bb  22"])

    def test_numbers(self):
        self.assertEqual([report.number(v) for v in
                          (None, 0.314, 12.34, 123.4, 98673.2)],
                         ["-", "0.31", "12.3", "123", "98673"])
        self.assertEqual(report.number(2, "count"), "2")

    def test_csv(self):
        path = self.folder() / "t.csv"
        report.write_csv(rows(None, CONSOLE), path)
        lines = list(csv.DictReader(path.read_text().splitlines()))
        self.assertEqual(lines[0]["figure"], "median")
        self.assertEqual(lines[0]["mainline"], "")
        self.assertEqual(lines[0]["ours"], "5.0")

    def test_plots_have_what_both_kernels_have(self):
        case = cases.Case("free", "", "free", 3, [4])
        text = CONSOLE.replace(" c ", " free ")
        curves = [("median", "request")]
        self.assertIsNone(report.size_plot(rows(None, text, case=case), "free", curves, ""))
        plot = report.size_plot(rows(text, text, case=case), "free", curves, "")
        self.assertIn("\n4 5.0 5.0\n", plot)
        self.assertIn('"free 4 KiB" 1.0', report.ratio_plot(rows(text, text, case=case)))


WHOLE = "".join(f"bench: sample cache {kib * 1024} 1 1\n"
                for kib in cases.BOOTS["cache"].cases[0].sizes)
AVOIDABLE = "cache, ours: 1 requests for 64 KiB failed that there was room for"


KILLED = "Out of memory: Killed process 44 (bench)"


class Failures(unittest.TestCase):
    def test_what_is_named(self):
        first = "sample cache 65536 1 1"
        only_failed = WHOLE.replace(first, "failed cache 65536 1 1")
        for what, text, said, *more in (
                ("nothing", WHOLE, []),
                ("a splat", WHOLE, ["cache, ours: splat: BUG: bad"], "ours", ["splat: BUG: bad"]),
                ("no samples", WHOLE.replace(f"bench: {first}\n", ""),
                 ["cache, ours: no figure for 64 KiB"]),
                ("a reason", WHOLE + "bench: bad cache no disk\n", ["cache, ours: no disk"]),
                ("a killed program", WHOLE, ["cache, ours: splat: " + KILLED], "ours",
                 ["splat: " + KILLED]),
                ("the same on mainline", WHOLE, [], "mainline", ["splat: " + KILLED]),
                # Failed requests of mainline's are figures, those of ours are faults.
                ("nothing but failed requests", only_failed, [AVOIDABLE]),
                ("the same of mainline's", only_failed, [], "mainline"),
                ("requests that had to fail",
                 WHOLE.replace(first, "failed cache 65536 1 0"), []),
                ("some failed requests", WHOLE + "bench: failed cache 65536 1 1\n",
                 [AVOIDABLE])):
            with self.subTest(what):
                self.assertEqual(self.collect(text, *more), said)

    def collect(self, text, side="ours", problems=()):
        run = bench.case_run(side, "cache", {"cache"}, None)
        run.lines = text.splitlines()
        run.problems = list(problems)
        return bench.collect([run], {"cache"})[1]


class Stage(unittest.TestCase):
    """The stage bench of check.py counts the goals that must hold."""

    def failed(self, text):
        stage = mock.Mock()
        stage.run.return_value = text
        use.bench(stage)
        stage.result.assert_called_once()
        return not stage.result.call_args[0][0]

    def test_all_of_them(self):
        nr = len(cases.goals_of(use.BENCH_CASES))
        self.assertGreater(nr, 8)
        self.assertFalse(self.failed(f"{nr} of {nr} goals hold, 40 figures\n"))
        for said in (f"{nr - 1} of {nr} goals hold\n", "0 of 0 goals hold\n",
                     f"{nr - 1} of {nr - 1} goals hold\n", ""):
            self.assertTrue(self.failed(said), said)

    def test_none_varies(self):
        chosen = [c for c in cases.all_cases() if c.name in use.BENCH_CASES]
        self.assertEqual({c.name for c in chosen}, set(use.BENCH_CASES))
        self.assertFalse([c.name for c in chosen if c.varies])


class Cost(unittest.TestCase):
    """The stage cost of check.py compares a million holders with a thousand."""

    LINE = "[ 1.0]     # test: {} holders: place {} ns, hold {} ns, " \
           "release {} ns"

    def failed(self, *costs):
        stage = mock.Mock()
        stage.boot.return_value.lines = [self.LINE.format(*c) for c in costs]
        use.cost(stage)
        return not stage.result.call_args[0][0]

    def test_it_hardly_grows(self):
        few = (1000, 700, 1200, 900)
        self.assertFalse(self.failed(few, (30000, 9, 9, 9), (1000000, 1100, 2100, 2000)))
        self.assertTrue(self.failed(few, (1000000, 1100, 2100, 2800)))
        self.assertTrue(self.failed(few, (1000000, 2101, 2100, 2000)))

    def test_it_has_to_be_there(self):
        self.assertTrue(self.failed())
        self.assertTrue(self.failed((1000, 700, 1200, 900)))


class Cases(unittest.TestCase):
    def test_names_are_unique(self):
        for table in cases.all_cases(), placement.LOADS, hot.FIGURES, kernel_tests.BOOTS:
            names = [row.name for row in table]
            self.assertEqual(len(names), len(set(names)))

    def test_goals_are_of_figures_that_are_measured(self):
        measured = {(c.name, kib, name) for c in cases.all_cases()
                    for kib in c.sizes for name in c.figures}
        self.assertEqual(set(cases.COMMON) - measured, set())

    def test_a_kernel_has_goals_of_its_own_in_place_of_others(self):
        for base, goals in cases.OWN.items():
            self.assertIn(base, bases.BASES)
            self.assertEqual(set(goals) - set(cases.COMMON), set())
            for key, goal in goals.items():
                self.assertNotEqual(goal, cases.COMMON[key], key)

    def test_figures_have_names(self):
        used = {name for c in cases.all_cases() for name in c.figures}
        self.assertEqual(used - set(report.FIGURES), set())

    def test_kinds_exist(self):
        guest = Path(bench.__file__).parent / "guest"
        text = "".join(p.read_text() for p in guest.glob("bench_*.c"))
        for case in cases.all_cases():
            self.assertRegex(text, rf'(?:FILL\(|\.name = )"{case.kind.split(":")[0]}"')
