# SPDX-License-Identifier: GPL-2.0
"""Two runs do not make the same thing at the same time."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from lab import lock
from tests.case import Case

HERE = Path(__file__).resolve().parents[1]

OTHER = """
import sys
from lab import lock
with lock.held(sys.argv[1]):
    print("has it", flush=True)
    sys.stdin.read()
"""


class Lock(Case):
    def setUp(self):
        self.build = str(self.folder())

    def start(self, cmd, env=None):
        proc = subprocess.Popen(cmd, text=True, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, env=env, cwd=HERE,
                                start_new_session=True)

        def end():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(proc.pid, signal.SIGKILL)
            proc.communicate()
        self.addCleanup(end)
        return proc

    def other(self, env=None):
        return self.start([sys.executable, "-B", "-c", OTHER, self.build], env)

    def waiting(self):
        return f"waiting for another run in {os.path.realpath(self.build)}\n"

    def test_a_second_run_waits(self):
        with lock.held(self.build):
            proc = self.other()
            self.assertEqual(proc.stdout.readline(), self.waiting())
        self.assertEqual(proc.stdout.readline(), "has it\n")
        self.assertEqual(proc.communicate("")[0], "")
        self.assertEqual(proc.returncode, 0)

    def test_it_ends_with_its_holder(self):
        proc = self.other()
        self.assertEqual(proc.stdout.readline(), "has it\n")
        proc.kill()
        proc.wait()
        with lock.held(self.build):
            pass

    def test_threads_share_it(self):
        def work():
            with lock.held(self.build), lock.held(self.build):
                done.set()

        done = threading.Event()
        with lock.held(self.build):
            thread = threading.Thread(target=work)
            thread.start()
            self.assertTrue(done.wait(10))
            thread.join()
            self.assertEqual(self.other().stdout.readline(), self.waiting())

    def test_the_script_of_a_holder_has_it(self):
        with lock.held(self.build):
            proc = self.other(lock.environment(self.build))
            self.assertEqual(proc.stdout.readline(), "has it\n")

    def test_the_user_space_waits_as_well(self):
        with lock.held(self.build):
            proc = self.start([HERE / "userland.sh"], os.environ | {"BUILD": self.build})
            self.assertEqual(proc.stdout.readline(), self.waiting())
            os.killpg(proc.pid, signal.SIGKILL)
            proc.wait()
