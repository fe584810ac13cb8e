# SPDX-License-Identifier: GPL-2.0
"""What a newcomer runs first gets what it needs."""

import os
from pathlib import Path
from unittest import mock

from lab import boards, kbuild
from tests.case import Case, write
import boot
import demo
import kernel


class Steps(Case):
    """The stage demo of check.py leaves them out."""

    def test_they_can_be_run(self):
        commands = [list(map(str, cmd)) for _, cmd in demo.STEPS]
        for cmd in commands:
            self.assertTrue(os.access(cmd[0], os.X_OK), cmd)
        self.assertEqual([[Path(cmd[0]).name, *cmd[1:]] for cmd in commands],
                         [["deps.sh", "demo"], ["tree.py", "tree"],
                          ["kernel.py", "build", "arm"], ["userland.sh"]])
        self.assertEqual(demo.KERNEL, kbuild.obj("arm"))

    def run_demo(self, *steps):
        """(status, what was printed)."""
        said = []
        screen = mock.Mock(tty=False, style=lambda code, text: text,
                           line=lambda text="": said.append(text))
        self.patch({"demo.STEPS": steps, "demo.OUT": self.folder(),
                    "demo.Screen": lambda: screen,
                    "demo.boot": lambda *a: said.append("boot") or [],
                    "lab.kbuild.guest_program": mock.Mock(),
                    "lab.kbuild.cmastat": mock.Mock(), "sys.argv": ["demo.py"]})
        return demo.main(), said

    def test_steps_come_before_the_boot(self):
        status, said = self.run_demo(("one", ["true"]), ("two", ["true"]))
        self.assertEqual(status, 0)
        self.assertRegex(" ".join(said), "one.*two.*boot.*SUCCESS")

    def test_a_step_that_fails_says_why(self):
        status, said = self.run_demo(
            ("one", ["sh", "-c", "echo no mirror; exit 1"]), ("two", ["true"]))
        self.assertEqual(status, 1)
        self.assertRegex("".join(said), "FAILED.*one:\nno mirror")
        self.assertNotIn("boot", said)


class Boot(Case):
    """boot.py makes the user space, and names the kernel that is missing."""

    def setUp(self):
        self.build = self.folder()
        self.made = []
        self.patch({"lab.kbuild.BUILD": self.build, "lab.kbuild.TOP": self.build,
                    "lab.kbuild.install_packages": self.made.append,
                    "lab.kbuild.userland": lambda *a: self.made.append(a),
                    "shutil.which": lambda name: name})

    def touch(self, *names):
        write(self.build, dict.fromkeys(names, ""))

    def test_no_kernel(self):
        with self.assertRaisesRegex(kbuild.BuildError,
                                    "run scripts/cma/kernel.py build armv5$"):
            boot.prepare("versatilepb")

    def test_no_user_space(self):
        self.touch("obj-arm/arch/arm/boot/zImage", "obj-x86_64/arch/x86/boot/bzImage")
        boot.prepare("virt")
        self.assertEqual(self.made, ["demo", ("armhf",)])
        self.made.clear()
        self.touch("initramfs-armhf.cpio.gz")
        boot.prepare("virt")
        self.assertEqual(self.made, [])
        boot.prepare("x86_64")
        self.assertEqual(self.made, ["check", ("amd64",)])

    def test_no_emulator(self):
        self.touch("obj-arm/arch/arm/boot/zImage", "initramfs-armhf.cpio.gz")
        self.patch({"shutil.which": lambda name: None})
        boot.prepare("virt")
        self.assertEqual(self.made, ["demo", ("armhf",)])


class Build(Case):
    def test_packages_come_before_the_build(self):
        made = []
        self.patch({"lab.kbuild.our_tree": mock.Mock(),
                    "lab.kbuild.install_packages": made.append,
                    "lab.kbuild.build": made.append,
                    "sys.argv": ["kernel.py", "build", "arm"]})
        self.assertEqual(kernel.main(), 0)
        self.assertEqual(made, ["build", "arm"])
        self.assertEqual(kbuild.packages(["arm", "arm64"]), "check")
        self.assertEqual({kbuild.packages([b.kernel]) for b in
                          boards.BOARDS.values() if b.arch.userland != "armhf"},
                         {"build"})
