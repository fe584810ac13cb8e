# SPDX-License-Identifier: GPL-2.0
"""Kernels are built once, in the background or for whoever needs them."""

import sys
import threading
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import check
import kernel
import stage


class Builds(unittest.TestCase):
    def setUp(self):
        self.calls = []
        self.broken = set()
        self.started = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        for target, new in (("kernel.build", self.build),
                            ("stage.vmlinux_symbols",
                             lambda name: set(stage.SYMBOLS)),
                            ("builtins.print", lambda *a, **kw: None)):
            patch = mock.patch(target, new)
            patch.start()
            self.addCleanup(patch.stop)
        self.builder = stage.Builder()
        self.stage = stage.Stage("test")

    def build(self, name):
        self.calls.append(name)
        self.started.set()
        self.go_on.wait()
        if name in self.broken:
            raise kernel.BuildError(f"{name} is broken")

    def counts(self):
        return self.stage.passed, self.stage.failed

    def test_once_whoever_asks(self):
        self.go_on.clear()
        self.builder.build_ahead(["arm"])
        self.started.wait()
        waits = threading.Thread(target=self.builder.build_for,
                                 args=(self.stage, ["arm"]))
        waits.start()
        waits.join(0.1)
        self.assertTrue(waits.is_alive())
        self.go_on.set()
        waits.join()
        self.assertEqual(self.calls, ["arm"])
        self.assertEqual(self.counts(), (2, 0))

    def test_a_failure_is_told_by_the_stage(self):
        self.broken.add("arm")
        self.builder.build_for(self.stage, ["arm", "arm-lpae"])
        self.assertEqual(self.calls, ["arm", "arm-lpae"])
        self.assertEqual(self.counts(), (2, 1))

    def test_a_failure_in_the_background_is_told_as_well(self):
        self.broken.add("arm")
        self.builder.build_ahead(["arm"])
        self.started.wait()
        self.builder.build_for(self.stage, ["arm"])
        self.assertEqual(self.counts(), (0, 1))

    def test_a_bare_kernel_has_nothing_left(self):
        self.builder.build_for(self.stage, ["bare-arm"])
        self.assertEqual(self.counts(), (1, 1))

    def test_every_stage_has_kernels_there_are(self):
        self.assertLessEqual(set(check.KERNELS), set(check.STAGES))
        self.assertLessEqual({k for names in check.KERNELS.values()
                              for k in names}, set(kernel.KERNELS))


if __name__ == "__main__":
    unittest.main()
