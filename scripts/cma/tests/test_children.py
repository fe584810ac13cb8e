# SPDX-License-Identifier: GPL-2.0
"""Nothing stays behind when a program is told to end, or is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lab import children
from tests.case import Case

HERE = Path(__file__).resolve().parents[1]

HEAD = """
import signal
import sys
from lab import boards, children, kbuild
from stages import stage
from concurrent.futures import ThreadPoolExecutor
"""
# An emulator, or make, that says which process it is and does not end.
ENDLESS = "#!/bin/sh\necho $$ >>$PIDS\nexec sleep 1000\n"
BOOT = """
def boot(unused=0):
    boards.boot("virt", kernel_dir=boards.BUILD)
signal.signal(signal.SIGHUP, signal.SIG_DFL)	# whatever nohup says
children.end_on_signals()
"""
IN_THREADS = """
with ThreadPoolExecutor(2) as pool:
    list(pool.map(boot, range(4)))
"""


class Children(Case):
    def setUp(self):
        self.top = self.folder({"initramfs-armhf.cpio.gz": "",
                                "bin/qemu-system-arm": ENDLESS, "bin/make": ENDLESS})
        for name in "tmp", "linux", "usr":
            (self.top / name).mkdir()
        (self.top / "usr/gen_init_cpio").symlink_to("/bin/true")
        self.pids = self.top / "pids"
        self.env = os.environ | {
            "PYTHONPATH": str(HERE), "BUILD": str(self.top), "BASE": "6.12",
            "PIDS": str(self.pids), "TMPDIR": str(self.top / "tmp"),
            "PATH": f"{self.top}/bin:{os.environ['PATH']}"}

    def start(self, program, nr=1):
        """Runs it until it has started so many; their process ids."""
        proc = subprocess.Popen([sys.executable, "-B", "-c", HEAD + program],
                                env=self.env, stderr=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL)
        self.addCleanup(proc.wait)
        self.addCleanup(proc.kill)
        self.wait_for(lambda: len(self.children()) == nr)
        return proc

    def children(self):
        return self.pids.read_text().split() if self.pids.exists() else []

    def wait_for(self, condition):
        for _ in range(300):
            if condition():
                return
            time.sleep(0.1)
        self.fail("it does not come")

    def assert_gone(self, nr=1):
        pids = self.children()
        self.wait_for(lambda: not any(map(self.is_alive, pids)))
        self.assertEqual(len(pids), nr)

    def is_alive(self, pid):
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return False
        return text.rpartition(")")[2].split()[0] != "Z"

    def assert_ends(self, program, number, nr=1):
        self.pids.unlink(missing_ok=True)
        proc = self.start(program, nr)
        proc.send_signal(number)
        self.assertEqual(proc.wait(120), 128 + number)
        self.assert_gone(nr)
        self.assertEqual(os.listdir(self.top / "tmp"), [])

    def test_a_boot(self):
        for number in signal.SIGTERM, signal.SIGHUP:
            self.assert_ends(BOOT + "boot()", number)

    def test_boots_in_threads_and_those_that_wait(self):
        self.assert_ends(BOOT + IN_THREADS, signal.SIGTERM, 2)

    def test_make(self):
        self.assert_ends(BOOT + f"kbuild.make('arm', [], boards.BUILD,"
                         f" {str(self.top / 'log')!r})", signal.SIGTERM)

    def test_a_script_that_boots(self):
        script = self.top / "script.py"
        script.write_text(HEAD + BOOT + "boot()")
        self.assert_ends(BOOT + f"""
stage.LOGS = boards.BUILD
stage.Stage("x").run("x", [sys.executable, "-B", {str(script)!r}])
""", signal.SIGTERM)

    def test_killed(self):
        for program, nr in (BOOT + "boot()", 1), (BOOT + IN_THREADS, 2):
            self.pids.unlink(missing_ok=True)
            self.start(program, nr).kill()
            self.assert_gone(nr)

    def test_what_is_not_there(self):
        with self.assertRaisesRegex(FileNotFoundError, "no-such-program"):
            children.run(["no-such-program"])
