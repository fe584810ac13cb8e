# SPDX-License-Identifier: GPL-2.0
"""Kernels are built once, in the background or for whoever needs them."""

import contextlib
import sys
import threading
import unittest
from unittest import mock

from lab import boards, kbuild, lock, skips, verdict
from stages import stage
from tests.case import Case
import check


class Builds(Case):
    def setUp(self):
        self.calls = []
        self.broken = set()
        self.started = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.patch({"lab.kbuild.build": self.build,
                    "stages.stage.vmlinux_symbols": lambda name: set(stage.SYMBOLS),
                    "builtins.print": lambda *a, **kw: None})
        self.builder = stage.Builder()
        self.stage = stage.Stage("test")

    def build(self, name):
        self.calls.append(name)
        self.started.set()
        self.go_on.wait()
        if name in self.broken:
            raise kbuild.BuildError(f"{name} is broken")

    def counted(self):
        return self.stage.passed, self.stage.failed

    def test_once_whoever_asks(self):
        self.go_on.clear()
        self.builder.build_ahead(["arm"])
        self.started.wait()
        waits = threading.Thread(target=self.builder.build_for, args=(self.stage, ["arm"]))
        waits.start()
        waits.join(0.1)
        self.assertTrue(waits.is_alive())
        self.go_on.set()
        waits.join()
        self.assertEqual(self.calls, ["arm"])
        self.assertEqual(self.counted(), (2, 0))

    def test_a_failure_is_told_by_the_stage(self):
        self.broken.add("arm")
        self.assertFalse(self.builder.build_for(self.stage, ["arm", "arm-lpae"]))
        self.assertEqual(self.calls, ["arm", "arm-lpae"])
        self.assertEqual(self.counted(), (2, 1))

    def test_it_fails_once_and_is_told_by_each_stage(self):
        self.broken.add("arm")
        for _ in range(2):
            self.builder.build_for(self.stage, ["arm"])
        self.assertEqual(self.calls, ["arm"])
        self.assertEqual(self.counted(), (0, 2))

    def test_what_did_not_build_is_not_booted(self):
        self.broken.add("arm")
        with mock.patch.object(stage.STAGES["virt"], "run") as run:
            done = check.run_stage(self.builder, "virt")
            run.assert_not_called()
            self.assertEqual(done.failed, 1)
            self.broken.clear()
            check.run_stage(stage.Builder(), "virt")
            run.assert_called_once()

    def test_stages_run_in_their_order(self):
        ran = []
        for name in "virt", "tree", "lpae":
            self.enterContext(mock.patch.object(stage.STAGES[name], "run",
                                                lambda s: ran.append(s.name)))
        check.run_stages(["lpae", "virt", "tree"])
        self.assertEqual(ran, ["tree", "virt", "lpae"])
        self.assertEqual(set(self.calls), {"arm", "arm-lpae"})

    def test_a_failure_in_the_background_is_told_as_well(self):
        self.broken.add("arm")
        self.builder.build_ahead(["arm"])
        self.started.wait()
        self.builder.build_for(self.stage, ["arm"])
        self.assertEqual(self.counted(), (0, 1))

    def test_a_bare_kernel_has_nothing_left(self):
        self.builder.build_for(self.stage, ["bare-arm"])
        self.assertEqual(self.counted(), (1, 1))

    def test_mainline_has_names_of_its_own(self):
        with mock.patch("stages.stage.vmlinux_symbols", lambda name: set()):
            self.assertTrue(self.builder.build_for(self.stage, ["base-arm"]))
        self.assertEqual(self.counted(), (1, 0))

    def test_every_stage_has_kernels_there_are(self):
        self.assertLessEqual({name for s in stage.STAGES.values()
                              for name in s.kernels}, set(kbuild.KERNELS))

    def test_the_order_of_all_and_those_on_request(self):
        """Modules register them; --list and a plain check.py have this."""
        self.assertEqual(" ".join(stage.STAGES), (
            "tree series host style lint build virt vexpress parameters areas "
            "clients demo bench cost stress debug lpae bare identical kasan "
            "64-bit blocks bare-64-bit configs without rt kcsan hibernate boards files "
            "messages newest newest-whole kernel-tests by-hand boards-whole bisect"))
        # The newest kernel is not run beside itself.
        self.assertEqual(
            [name for name, s in stage.STAGES.items()
             if s.on_request and name != "newest"],
            "blocks bare-64-bit without rt kcsan hibernate files messages newest-whole "
            "kernel-tests by-hand boards-whole bisect".split())
        self.assertEqual([name for name, s in stage.STAGES.items()
                          if s.changes_trees], ["tree", "series"])


class Commands(Case):
    def test_they_do_not_wait_for_a_build_of_ours(self):
        build = str(self.folder())
        self.patch({"stages.stage.TOP": build, "stages.stage.Stage.log": mock.Mock()})
        with lock.held(build):
            self.assertEqual(self.counts(lambda one: one.run("locked", [
                sys.executable, "-c", f"import sys; sys.path.insert(0, "
                f"{str(stage.HERE)!r}); from lab import lock\n"
                f"with lock.held({build!r}): pass"], timeout=20)), (1, 0, 0))


class Skips(Case):
    """A test that skips where it could run has failed."""

    def test_what_there_is_decides(self):
        disk, low = "no file on a disk in $CMA_TEST_FILE", "the area is in low memory"
        far, vivid = "vivid does not reach the area", "CONFIG_VIDEO_VIVID=m"
        other = "there are other areas to move to"
        for reason, skips_there, args, kw in (
                ("no CONFIG_FAIL_CMA", True,
                 ["# CONFIG_FAIL_CMA is not set\nCONFIG_CMA=y\n"], {}),
                ("no CONFIG_FAIL_CMA", False, ["CONFIG_FAIL_CMA=y\n"], {}),
                (disk, True, [""], {}), (disk, False, [""], {"disk": True}),
                (far, False, [vivid, "cma=64M"], {}),
                (far, False, [vivid, "cma=64M@0x48000000"], {}),
                (far, False, [vivid, "mem=128M@0x100000000 cma=64M"], {}),
                (far, True, [vivid, "cma=64M@0x100000000"], {}),
                (low, True, ["", "cma=64M"], {}), (low, False, ["", "cma=64M@0x100000000"], {}),
                (low, False, ["", "vmalloc=768M cma=64M"], {}),
                (other, True, ["", "cma=64M numa_cma=0:8M"], {}),
                (other, False, ["", "cma=64M cma_pernuma=0"], {}),
                ("", False, [""], {}), ("there is no default area", False, [""], {})):
            with self.subTest(reason, args=args):
                counts = self.counts(stage.Stage.tests, "virt",
                                     [verdict.Test("cma_x.y", "skip", reason)],
                                     skips.features(*args, **kw))
                self.assertEqual(counts, (0, not skips_there, skips_there))

    def test_reasons_are_given(self):
        said = "".join(path.read_text() for folder in (
            "tools/testing/selftests/cma", "mm/cma/tests")
            for path in (kbuild.REPO / folder).glob("*.c"))
        for reason in skips.NEEDS:
            if reason.startswith("no /dev/cma_test"):
                continue	# put together by the compiler
            self.assertIn(f'"{reason}"', said)

    def test_a_boot_knows_its_kernel(self):
        build = self.folder({"obj-arm/.config": "CONFIG_FAIL_CMA=y\n"})
        got = mock.Mock(ok=True, elapsed_s=1, problems=[], lines=[], ktap=[
            verdict.Test("t", "skip", "no CONFIG_FAIL_CMA"),
            verdict.Test("t", "skip", "a kernel without hugetlb")])
        self.patch({"lab.boards.boot": lambda *a, **kw: got, "lab.kbuild.BUILD": build,
                    "lab.kbuild.userland": (userland := mock.Mock())})
        self.assertEqual(self.counts(lambda one: one.boot("virt", "virt")), (1, 1, 1))
        # A board has a user space on a machine that has just been set up.
        userland.assert_called_once_with("armhf")


class Boots(unittest.TestCase):
    """A stage names the kernels that it boots, or it boots old ones."""

    def boot(self, name, board, kernel=None, **kw):
        self.booted.add(kernel or boards.BOARDS[board].kernel)
        return mock.Mock(screens=[])

    def booted_by(self, name):
        self.booted = set()
        one = mock.Mock(boot=self.boot)
        with contextlib.ExitStack() as patches:
            for target, new in (
                    *((f"stages.{module}.selftests", lambda *a: ["/t/cma_basic"])
                      for module in ("virt", "declared", "use", "wide", "boards",
                                     "whole")),
                    ("stages.declared.check_binding", mock.Mock()),
                    ("stages.declared.end_of_kernel", lambda name: 0x41000000),
                    ("lab.kbuild.image", mock.Mock()),
                    ("lab.kbuild.guest_program", mock.Mock()),
                    ("lab.kbuild.userland", mock.Mock())):
                patches.enter_context(mock.patch(target, new))
            stage.STAGES[name].run(one)
        return self.booted

    def test_kernels_are_those_it_boots(self):
        for name in ("virt", "vexpress", "parameters", "areas", "clients",
                     "lpae", "debug", "bare", "64-bit", "boards",
                     "boards-whole"):
            with self.subTest(name):
                self.assertEqual(self.booted_by(name), set(stage.STAGES[name].kernels))

    def test_scripts_that_build_nothing(self):
        self.assertEqual(stage.STAGES["demo"].kernels, ["arm"])
        self.assertEqual(stage.STAGES["bench"].kernels, ["arm"])
