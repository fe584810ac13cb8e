# SPDX-License-Identifier: GPL-2.0
"""cmastat of tools/mm/ on the files of several kernels, which are made here."""

import json
import os
import random
import re
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

from tests.case import Case, write

SOURCES = Path(__file__).resolve().parents[3] / "tools/mm"
SYSFS, DEBUGFS = "sys/kernel/mm/cma", "sys/kernel/debug/cma"
OK, NOTHING, USAGE, NO_AREA = range(4)
NUMBERS = {
    "total_pages": 16384, "held_pages": 4160, "cached_pages": 0, "lent_pages": 12224,
    "free_pages": 2000, "widest_hole_pages": 8192, "fragmentation_index": 329,
    "requests_failed_no_room": 1, "requests_failed_busy": 2, "alloc_pages_success": 9000,
    "release_pages_success": 4840}
HOLDERS = r"""buffer reserved 0x4c000 4096 camera0 v4l2-ctl 312 150.250 vb2_alloc+0x5c/0x1a0 [vb2]
buffer reserved 0x4d000 64 - my\040app 9 5.000 foo+0x1/0x2
cached pool 0x60000 64
search reserved 0x4e000 64
device camera0 1 reserved reached
device camera0 0 pool out-of-reach
device camera0 2 - refused
"""
MAP = """reserved 0x4c000 4160 held
reserved 0x4d040 8128 program
reserved 0x4f000 1 pinned
reserved 0x4f001 4095 free
pool 0x60000 64 cached
pool 0x60040 960 reserved
pool 0x80000 1024 reserved
"""
FAILURES = r"""area: reserved
time: 123.456
request: 4096 pages, 16384 KiB, align 256 pages
for: camera0
task: my\040app 312
error: -16 busy
later: unknown to this program
cause: page at pfn 0x4f000 is pinned for DMA
pages: total 16384 held 1024 cached 0 free 2000 in-use 13360 movable 9000 widest-hole 8192
windows: 12 surveyed, 5 tried
blocker: 0x4f000 pinned: program dd 312, 1025 references, mapped 1 times
advice: Let dd end.

area: pool
error: -12 no room
"""
OURS = {
    **{f"{SYSFS}/{area}/{name}": f"{number}\n" for area in ("reserved", "pool")
       for name, number in NUMBERS.items()},
    f"{SYSFS}/reserved/mode": "shared\n", f"{SYSFS}/pool/mode": "exclusive\n",
    "proc/uptime": "200.50 300.00\n", "proc/cma/holders": HOLDERS, "proc/cma/map": MAP,
    "proc/cma/failures": FAILURES}
# 2048 pages from page frame 1024; the first 96 are held.
MAINLINE = {
    f"{DEBUGFS}/reserved/{name}": text + "\n" for name, text in {
        "base_pfn": "1024", "count": "2048", "order_per_bit": "0", "used": "96",
        "maxchunk": "1952", "bitmap": " ".join(["4294967295"] * 3 + ["0"] * 61)}.items()}
BUDDY, LRU, ANON, POISON = 1 << 10, 1 << 5, 1 << 12, 1 << 19


def setUpModule():
    global TOOL
    folder = tempfile.TemporaryDirectory(prefix="cma-test-")
    unittest.addModuleCleanup(folder.cleanup)
    TOOL = Path(folder.name, "cmastat")
    subprocess.run(["gcc", "-O1", "-g", "-Wall", "-Wextra", "-Werror",
                    "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined",
                    "-o", TOOL, SOURCES / "cmastat.c", *sorted(SOURCES.glob("cmastat-*.c"))],
                   check=True)


class CmastatCase(Case):
    def setUp(self):
        self.root = self.folder(OURS)

    def run_it(self, *args, code=OK, env=()):
        """What it writes; what it complains about is in self.errors."""
        done = subprocess.run(
            [TOOL, "--root", self.root, *args], capture_output=True,
            env={"PATH": os.environ["PATH"], "TERM": "linux"} | dict(env))
        self.errors = done.stderr.decode()
        self.assertEqual(done.returncode, code, (args, self.errors))
        self.assertTrue(all(line.startswith("cmastat: ")
                            for line in self.errors.splitlines()), self.errors)
        return done.stdout.decode()

    def json(self, *args):
        return json.loads(self.run_it("--json", *args))

    def mainline(self):
        self.root = self.folder(MAINLINE)
        (self.root / "proc").mkdir()
        flags = [0] * 1120 + [BUDDY] * 904 + [POISON] + [ANON | LRU] * 1047
        (self.root / "proc/kpageflags").write_bytes(struct.pack("=%dQ" % len(flags), *flags))


class Ours(CmastatCase):
    def test_table(self):
        lines = [line.split() for line in self.run_it("--width=100").splitlines()]
        self.assertEqual(" ".join(lines[0]),
                         "area mode total held cached in use free hole failed frag")
        self.assertEqual(" ".join(lines[2]), "reserved shared 64 MiB 16.2 MiB 0 KiB 39.9 MiB "
                         "7.8 MiB 32 MiB 3 329")
        self.assertEqual(lines[3][:3], ["total", "128", "MiB"])
        area = self.json("table")["areas"][0]
        self.assertEqual((area["area"], area["mode"], area["in_use_pages"],
                          area["requests_failed"], area["requests_succeeded"]),
                         ("pool", "exclusive", 10224, 3, None))

    def test_map(self):
        said = self.run_it("map", "reserved")
        rows = re.findall(r"^(0x\S+) +(\S+)$", said, re.M)
        self.assertEqual([row[0] for row in rows],
                         ["0x%08x" % (0x4c000000 + i * 0x400000) for i in range(16)])
        self.assertEqual(rows[0][1], "A" * 64)
        self.assertEqual(rows[4][1], "BBBB" + "p" * 60)
        self.assertEqual(rows[12][1], "!" + "." * 63)
        self.assertRegex(said, r"A  held by camera0 +16 MiB +4096 pages")
        self.assertRegex(said, r"B  held by no device +256 KiB +64 pages")
        self.assertRegex(said, r"!  pinned: does not move +4 KiB +1 pages")
        self.assertNotIn("poisoned", said)
        whole = self.json("map", "reserved")
        self.assertEqual(sum(run["nr_pages"] for run in whole["runs"]), 16384)
        self.assertEqual([(run["device"], run["size_kib"]) for run in whole["runs"][:2]],
                         [("camera0", 16384), (None, 256)])

    def test_map_of_an_area_with_a_gap(self):
        rows = re.findall(r"^(0x\S+) +(\S+)$", self.run_it("map", "pool"), re.M)
        self.assertEqual(rows[0], ("0x60000000", "=" * 32 + "_" * 32))
        self.assertEqual(rows[8], ("0x80000000", "_" * 64))

    def test_svg(self):
        root = ElementTree.fromstring(self.run_it("svg", "reserved"))
        texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
        for text in "camera0", "16384 KiB", "pinned: does not move", "0x4c000000":
            self.assertIn(text, texts)
        path = self.root / "map.svg"
        self.assertEqual(self.run_it("svg", "reserved", "-o", str(path)), "")
        self.assertEqual(path.read_text(), self.run_it("svg", "reserved"))

    def test_why(self):
        said = self.run_it("why", "reserved")
        for text in ("reserved, 77.0 s ago:", "camera0 (task my app 312) asked for 4096 pages",
                     "at a multiple of 256 pages (1 MiB)", "error -16 (busy)", "Advice: Let dd",
                     "0x4f000 pinned: program dd 312", "widest hole 32 MiB"):
            self.assertIn(text, said.replace("\n ", ""))
        self.assertIn('Advice: Enlarge the area', self.run_it("why"))
        failure, other = self.json("why")["failures"]
        self.assertEqual((failure["age_s"], failure["task"], failure["pid"], failure["nr_pages"],
                          failure["tried_windows"], failure["blockers"][0]["reason"]),
                         (77.044, "my app", 312, 4096, 5, "pinned"))
        self.assertEqual((other["time_s"], other["nr_pages"]), (None, None))
        (self.root / "proc/cma/failures").write_text("")
        self.assertEqual(self.run_it("why"), "No request failed.\n")

    def test_holders(self):
        lines = self.run_it("holders").splitlines()
        self.assertRegex(lines[1], r"^reserved camera0 +16 MiB +v4l2-ctl 312 +50.2 s vb2_alloc")
        self.assertIn("address", self.run_it("holders", "--width", "120"))
        self.assertEqual(len(self.json("holders", "pool")["holders"]), 1)
        whole = self.json("holders")
        self.assertEqual([one["nr_pages"] for one in whole["holders"]], [4096, 64, 64, 64])
        self.assertEqual(whole["holders"][2]["task"], "my app")
        self.assertEqual(whole["totals"][0], {"holder": "camera0", "nr_buffers": 1,
                                              "nr_pages": 4096, "size_kib": 16384})

    def test_devices(self):
        self.assertEqual(self.run_it("devices"), """camera0
  1. pool: left out: the device cannot address it
  2. reserved: the device takes buffers from it
  3. then the request fails
""")
        self.assertEqual([area["state"] for area in self.json("devices")["devices"][0]["areas"]],
                         ["out-of-reach", "reached", "refused"])
        self.run_it("devices", "nobody", code=NO_AREA)

    def test_top(self):
        histogram = self.root / SYSFS / "reserved/latency_histogram"
        histogram.write_text("{ usecs: ~ 2^4  } hitcount:   5\n")
        proc = subprocess.Popen([TOOL, "--root", self.root, "--json", "top", "-i0.3", "-n9"],
                                stdout=subprocess.PIPE)
        with proc:
            first = json.loads(proc.stdout.readline())
            histogram.write_text("{ usecs: ~ 2^4 } hitcount: 8\n{ usecs: ~ 2^10 } hitcount: 1\n")
            (self.root / SYSFS / "reserved/alloc_pages_success").write_text("9900\n")
            (self.root / SYSFS / "reserved/requests_failed_busy").write_text("5\n")
            for line in proc.stdout:
                area = json.loads(line)["areas"][1]
                if area["mean_latency_us"]:
                    break
            proc.terminate()
        self.assertEqual(first["areas"][1]["taken_pages_per_s"], 0)
        self.assertIsNone(first["areas"][1]["mean_latency_us"])
        self.assertEqual(area["most_latency_us"], 1024)
        self.assertGreater(area["taken_pages_per_s"], 0)
        said = self.run_it("top", "-n", "2", "-i", "0.01")
        self.assertEqual(said.count("taken/s"), 2)
        self.assertNotIn("\033", said)


class OtherKernels(CmastatCase):
    def test_mainline(self):
        self.mainline()
        self.assertRegex(self.run_it(), r"reserved +- +8 MiB +384 KiB +- +4.1 MiB +3.5 MiB "
                         "+7.6 MiB")
        said = self.run_it("map", "reserved")
        self.assertEqual(re.findall(r"^0x00400000 +(\S+)$", said, re.M), ["#" * 48 + "." * 16])
        self.assertRegex(said, r"\*  broken memory +4 KiB")
        self.assertRegex(said, r"p  data of programs +4.1 MiB")
        self.assertEqual(self.json("holders")["holders"][0]["nr_pages"], 96)
        for command in "why", "devices":
            self.run_it(command, code=NOTHING)
            self.assertIn("/proc/cma/", self.errors)
        (self.root / "proc/kpageflags").unlink()
        self.assertRegex(self.run_it("map", "reserved"), r"-  not held: free or in use")
        self.assertIn("CONFIG_PROC_PAGE_MONITOR", self.errors)

    def test_banks_with_a_bitmap_each(self):
        for i, pfn in enumerate((64, 512)):
            write(self.root, {f"{DEBUGFS}/two/ranges/{i}/{name}": text for name, text in {
                "base_pfn": f"{pfn}", "count": "64", "bitmap": f"{i} 0"}.items()})
        self.assertEqual([(run["first_pfn"], run["nr_pages"], run["kind"])
                          for run in self.json("map", "two")["runs"]],
                         [(64, 64, "lent"), (512, 1, "held"), (513, 63, "lent")])

    def test_counters_alone(self):
        self.root = self.folder({f"{SYSFS}/a/alloc_pages_success": "10\n",
                                 f"{SYSFS}/a/release_pages_success": "3\n",
                                 f"{SYSFS}/a/alloc_pages_fail": "7\n"})
        self.assertRegex(self.run_it(), r"a +- +- +28 KiB( +-)+ +7p")
        self.run_it("map", "a", code=NOTHING)

    def test_meminfo_alone(self):
        self.root = self.folder({"proc/meminfo": "CmaTotal:  65536 kB\nCmaFree:  4096 kB\n"})
        self.assertRegex(self.run_it(), r"\(all areas\) +- +64 MiB")

    def test_no_areas(self):
        self.root = self.folder({"proc/meminfo": "CmaTotal: 0 kB\n"})
        self.assertEqual(self.run_it(), "There are no areas.\n")
        self.assertEqual(self.json("table")["areas"], [])

    def test_nothing(self):
        self.root = self.folder()
        for command in (), ("map", "a"), ("top",), ("why",), ("holders",), ("devices",):
            self.assertEqual(self.run_it(*command, code=NOTHING), "")


class Lines(CmastatCase):
    COMMANDS = (("table",), ("map", "reserved"), ("why",), ("holders",), ("devices",),
                ("top", "-n1", "-i0.001"), ("svg", "reserved"))

    def test_widths(self):
        for command in self.COMMANDS[:-1]:
            for width in 20, 33, 80, 200:
                said = self.run_it(f"--width={width}", *command)
                self.assertLessEqual(max(map(len, said.splitlines())), width, command)
            self.assertEqual(self.run_it(*command).isascii(), True)

    def test_colour(self):
        for args, env, has in (((), {}, False), (["--color=always"], {"NO_COLOR": "1"}, True),
                               (["--color=never"], {}, False)):
            self.assertEqual("\033[" in self.run_it("map", "reserved", *args, env=env), has)

    def test_usage(self):
        for args in (("maps",), ("map",), ("table", "a"), ("--width=19",), ("-i", "x", "top"),
                     ("--color=red",), ("--colour",), ("-n",), ("-n0", "top"),
                     ("--json", "svg", "a"), ("-o", "f", "map", "a")):
            self.assertEqual(self.run_it(*args, code=USAGE), "")
            self.assertIn("cmastat --help", self.errors)
        for args in ("-h",), ("--help",), ("help",):
            said = self.run_it(*args)
            self.assertLessEqual(max(map(len, said.splitlines())), 80)

    def test_the_manual_has_all_options_and_keys(self):
        manual = (SOURCES / "cmastat.8").read_text().replace("\\", "")
        words = re.findall(r"--[a-z-]+", self.run_it("help"))
        for command in self.COMMANDS[:-1]:
            words += re.findall(r'"(\w+)":', self.run_it("--json", *command))
        self.assertEqual([word for word in words if word not in manual], [])

    def test_no_such_area(self):
        for command in "map", "svg", "why", "holders":
            self.run_it(command, "nowhere", code=NO_AREA)
            self.assertIn("the areas are: pool, reserved", self.errors)

    def test_a_pipe_that_breaks(self):
        for preexec in "", "trap '' PIPE; ":
            done = subprocess.run(["sh", "-c", f"{preexec}{{ '{TOOL}' --root '{self.root}' map "
                                   "reserved; } | true"], capture_output=True)
            self.assertEqual(done.stderr, b"")

    def test_odd_names(self):
        name, odd = "a b<&\"\\\x1b\N{EURO SIGN}", "x" * 90
        self.root = self.folder({f"{SYSFS}/{name}/total_pages": "4\n", f"{SYSFS}/{odd}/x": ""})
        bad = os.path.join(os.fsencode(self.root), SYSFS.encode(), b"\xff")
        os.mkdir(bad)
        self.assertEqual([area["area"] for area in self.json("table")["areas"]],
                         [name, odd, r"\xff"])
        said = self.run_it("--width", "60")
        self.assertIn("x...", said)
        self.assertNotIn("\033", said)
        write(self.root, {"proc/cma/map": MAP.replace("pool", r"a\040b<&\042\134\033€")})
        self.assertIn("a b<&\"\\??", ElementTree.tostring(ElementTree.fromstring(
            self.run_it("svg", name)), "unicode", "text"))

    def test_broken_files(self):
        """Whatever the files have, it comes to an end and says valid things."""
        chance = random.Random(1)
        for make in (lambda: None, self.mainline) * 4:
            make()
            for path in self.root.rglob("*"):
                if path.is_file():
                    data = bytearray(path.read_bytes()[:20000])
                    for _ in range(chance.randrange(9)):
                        at = chance.randrange(len(data) + 1)
                        data[at:at + chance.randrange(9)] = chance.choice([
                            b"", b"\xff", b"\0", b"-1", b"9" * 30, b" ", b"\n", b"0x"])
                    path.write_bytes(data)
            for command in self.COMMANDS:
                for options in [()] if command[0] == "svg" else [(), ("--json",)]:
                    done = subprocess.run([TOOL, "--root", self.root, *options, *command],
                                          capture_output=True, timeout=60)
                    self.assertIn(done.returncode, (OK, NOTHING, NO_AREA), done.stderr)
                    self.assertNotRegex(done.stderr, rb"Sanitizer|runtime error")
                    if done.returncode == OK and options:
                        json.loads(done.stdout)
                    elif done.returncode == OK and command[0] == "svg":
                        ElementTree.fromstring(done.stdout)
