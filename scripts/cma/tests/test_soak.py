# SPDX-License-Identifier: GPL-2.0
"""A soak passes if all that it compares is right, and fails for each thing that is not."""

import contextlib
import io
import re
from pathlib import Path

import soak
from tests.case import Case
from tests.test_stress import judge

GUEST = Path(soak.__file__).with_name("guest")
KERNEL = "Linux 6.12.117"
# The guest says this in a minute; the gap is for the number of the minute.
MINUTE = "".join(f"[   61.0] bench: counter soak {{0}} {name} {lists} 12 12\n"
                 for name, lists in sorted(soak.COUNTERS))
REPORT = "".join(f"[   62.0] bench: data soak {name} {{0}}00\n" for name in soak.LOADS)
REPORT += "[   62.1] bench: stress soak {0} {0}50 0 0 2000000\n"
CONSOLE = "".join([MINUTE.format(1), REPORT.format(1), MINUTE.format(2), MINUTE.format(3),
                   REPORT.format(2)])


def judged(text, *problems, minutes=2):
    """A run of two minutes whose console is @text, and what was printed meanwhile."""
    run = soak.Soak("ours")
    return run, judge(run, text, *problems, minutes=minutes)


# Name: what the console says, what is wrong with it, problems of the boot.
FAULTS = {
    "a counter that is not compared": (
        re.sub(r".*counter soak 3 nr_free_cma.*\n", "", CONSOLE),
        "minute 3: 2 counters were not compared"),
    "the end is not compared": (CONSOLE.replace(MINUTE.format(3), ""), "minute 3: 10 counters"),
    "lost data of a load": (
        CONSOLE + "[ 70.0] bench: bad soak load pipe: data are lost\n",
        "load pipe: data are lost"),
    "lost data of a driver": (CONSOLE.replace("2 250 0 0", "2 250 0 1"), "1 buffers lost data"),
    "a load that compares nothing": (
        re.sub(r"data soak file \d+", "data soak file 0", CONSOLE),
        "no data were compared: a file that changes"),
    "a load that hangs": (
        CONSOLE + REPORT.format(2).replace("data soak job 200", "data soak job 100") +
        "bench: data soak job 100\n" * soak.IDLE, "job compared nothing in 10 minutes"),
    "a request that had room": (
        CONSOLE.replace("bench: stress soak 2 250 0", "bench: stress-errno soak 16 1\n"
                        "bench: stress soak 2 250 1"), "failed that had room"),
    "a program that was killed": (
        CONSOLE + "bench: bad soak a program was killed by signal 9\n", "killed"),
    "no memory": (CONSOLE, "Out of memory", "splat: Out of memory: Killed process 1"),
    "a splat": (CONSOLE, "BUG", "splat: BUG: Bad page state"),
    "a hang": (CONSOLE, "no end", "no end after 900 s"),
}


class Judgement(Case):
    def fails(self, text, why, *problems):
        found = judged(text, *problems)[0].problems
        self.assertEqual(len(found), 1, found)
        self.assertRegex(found[0], why)

    def test_a_run_without_fault(self):
        run, printed = judged(CONSOLE)
        self.assertEqual(run.problems, [])
        self.assertEqual(len(printed), 2)
        self.assertIn("2 min: 250 requests, 0 failed", printed[1])
        self.assertIn("0 of 30 counters differ", printed[1])

    def test_a_counter_that_differs(self):
        for name, lists in soak.COUNTERS:
            right = f"counter soak 2 {name} {lists} 12 12"
            self.assertIn(right, CONSOLE)
            for wrong, why in (("13 12", "is 13, .* says 12"), ("-1 -1", "is -1")):
                text = CONSOLE.replace(right, right.replace("12 12", wrong))
                self.fails(text, f"^minute 2: {name} {why}")

    def test_it_is_said_at_once(self):
        printed = judged(CONSOLE.replace("2 used bitmap 12 12", "2 used bitmap 12 13"))[1]
        self.assertRegex(printed[1], "^  FAILED minute 2: used is 12, bitmap says 13$")

    def test_each_fault_is_named(self):
        for what, args in FAULTS.items():
            with self.subTest(what):
                self.fails(*args)

    def test_a_load_that_nearly_hangs(self):
        again = CONSOLE + REPORT.format(2) * (soak.IDLE - 1)
        self.assertEqual(judged(again)[0].problems, [])

    def test_too_short(self):
        found = judged(CONSOLE, minutes=3)[0].problems
        self.assertEqual(found, ["no figures for 3 minutes",
                                 "minute 4: 10 counters were not compared"])


class Guest(Case):
    """The two halves know the same loads and counters."""

    def test_loads(self):
        text = (GUEST / "bench_soak_loads.c").read_text()
        names = re.findall(r'^\t\{ "(\w+)", run_', text, re.M)
        self.assertEqual([*names, "buffer"], [*soak.LOADS])

    def test_counters(self):
        library = soak.bases.REPO / "tools/testing/selftests/cma/cma_counters.c"
        found = re.findall(r'^\t\{ "(\w+)", "(\w+)", \w+, \w+ \},', library.read_text(), re.M)
        found += re.findall(r'print_counter\(minute, "(\w+)", "(\w+)"',
                            (GUEST / "bench_soak.c").read_text())
        self.assertEqual(sorted(found), sorted(soak.COUNTERS))

    def test_command(self):
        self.assertEqual(soak.command(10, None),
                         "/bench soak soak:10 1 4 12 64 300 1024 2500 4096 16384")
        self.assertRegex(soak.command(10, "pipe"), "^SOAK_BREAK=pipe /bench soak ")

    def test_hours(self):
        for hours, minutes in ("1", 60), ("0.17", 10), ("24", 1440), ("0.001", 1):
            self.assertEqual(soak.minutes_of(hours), minutes)


class Table(Case):
    def test_a_kernel_replaces_its_own_column(self):
        path = self.folder() / "soak.csv"
        for kernel, figure in ("Linux 7.3.4", "1"), (KERNEL, "2"), ("Linux 6.12.118", "3"):
            soak.write_csv([["minutes", figure], ["new", figure]], kernel, path)
        self.assertEqual(path.read_text(),
                         ",Linux 6.12.118,Linux 7.3.4\nminutes,3,1\nnew,3,1\n")

    def test_figures_come_from_the_console(self):
        rows = dict(judged(CONSOLE)[0].figures())
        self.assertEqual((rows["minutes"], rows["requests of drivers"]), ("2", "250"))
        self.assertEqual(len(rows), 5 + len(soak.LOADS))


class Main(Case):
    """Which runs the page shows."""

    def written(self, text, *args):
        folder = self.folder()
        self.patch({"soak.OUT": folder, "soak.PAGE": folder / "page.csv",
                    "soak.bench.build": lambda _: None,
                    "soak.kbuild.guest_program": lambda _: b"",
                    "soak.pages.kernel_of": lambda _: KERNEL,
                    "soak.run": lambda _, minutes, *rest: judged(text, minutes=minutes)[0],
                    "sys.argv": ["soak.py", *args]})
        with contextlib.redirect_stdout(io.StringIO()):
            status = soak.main()
        self.assertTrue((folder / "table.csv").exists())
        return status, (folder / "page.csv").exists()

    def test_runs(self):
        hour = "".join(MINUTE.format(i) + REPORT.format(i) for i in range(1, 61)) + \
            MINUTE.format(61)
        for what, text, args, written in (
                ("an hour", hour, [], (0, True)),
                ("two minutes", CONSOLE, ["--hours", "0.03"], (0, False)),
                ("two minutes that are asked for", CONSOLE, ["--hours", "0.03", "--pages"],
                 (0, True)),
                ("one that failed", hour.replace("used bitmap 12 12", "used bitmap 12 13", 1),
                 ["--pages"], (1, False))):
            with self.subTest(what):
                self.assertEqual(self.written(text, *args), written)
