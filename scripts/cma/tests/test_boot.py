# SPDX-License-Identifier: GPL-2.0
"""Console logs that must pass pass; those that must fail fail, and say why."""

import re
import subprocess
import tempfile
import unittest
from unittest import mock
from pathlib import Path

from lab import boards, kbuild, verdict
from tests.case import Case

KSFT = """\
guest: begin: /selftests/cma/cma_basic
TAP version 13
1..2
# Starting 2 tests from 1 test cases.
ok 1 global.sizes
ok 2 global.exhaust # SKIP no driver
# Totals: pass:1 fail:0 xfail:0 xpass:0 skip:1 error:0
guest: end 0: /selftests/cma/cma_basic
"""

KUNIT = """\
[    0.101000] KTAP version 1
[    0.102000] 1..2
[    0.103000]     KTAP version 1
[    0.103100]     # Subtest: cma_range
[    0.103200]     # module: range_kunit
[    0.103300]     1..2
[    0.104000]     ok 1 place
[    0.104100]         KTAP version 1
[    0.104200]         # Subtest: align
[    0.104300]         ok 1 order 0
[    0.104400] random: crng init done
[    0.104500]         ok 2 order 4
[    0.104600]     ok 2 align
[    0.104700] # cma_range: pass:2 fail:0 skip:0 total:2
[    0.105000] ok 1 cma_range
[    0.106000]     KTAP version 1
[    0.106100]     # Subtest: cma_parse
[    0.106200]     1..1
[    0.107000]     ok 1 size
[    0.108000] ok 2 cma_parse
"""

END = "[    9.000000] guest: done\n[    9.100000] reboot: Power down\n"


def judge(text, end=END, **kw):
    return verdict.judge((text + end).splitlines(), **kw)


class Passes(unittest.TestCase):
    def passes(self, text, **kw):
        v = judge(text, **kw)
        self.assertEqual(v.problems, [])
        return v

    def test_kselftest(self):
        v = self.passes(KSFT)
        self.assertEqual([(t.status, t.reason) for t in v.tests],
                         [("ok", ""), ("skip", "no driver")])
        self.assertTrue(v.ended)

    def test_kunit_counts_innermost_results(self):
        v = self.passes(KUNIT, want_tests=True)
        self.assertEqual([t.name for t in v.tests],
                         ["cma_range: place", "align: order 0",
                          "align: order 4", "cma_parse: size"])

    def test_both_and_plain_commands(self):
        v = self.passes(KUNIT + KSFT + "guest: begin: ls\nfoo\nguest: end 0: ls\n")
        self.assertEqual(len(v.tests), 6)

    def test_whole_program_skips(self):
        v = self.passes("guest: begin: t\nTAP version 13\n1..0 # SKIP no driver\n"
                        "guest: end 4: t\n")
        self.assertEqual(v.tests, [("t", "skip", "no driver")])

    def test_announced_splat(self):
        v = self.passes("guest: begin: t\nTAP version 13\n1..1\n"
                        "# expect-splat: WARNING: .*cma_release\n"
                        "[  1.0] WARNING: CPU: 0 PID: 1 at mm/cma/alloc.c:9 "
                        "cma_release+0x1/0x2\n[  1.0] Call trace: \nok 1 a\n"
                        "guest: end 0: t\n")
        self.assertEqual(v.splats, [])

    def test_announced_by_kunit(self):
        self.passes(KUNIT.replace(
            "    ok 1 place", "    # place: expect-splat: list_del corruption\n"
            "[ 0.1] list_del corruption. prev->next\n    ok 1 place"))

    def test_expected_message(self):
        self.passes("cma: bad size foo, parsing failed\n", expect=["bad size foo"])

    def test_ordinary_kernel_lines(self):
        self.passes("".join(f"[    1.000000] {t}\n" for t in (
            "cma: Reserved 64 MiB at 0x4c000000 on node -1",
            "CPU0: Spectre v2: firmware did not set auxiliary control "
            "register IBE bit, system vulnerable",
            "DMA-API: preallocated 65536 debug entries",
            "rcu: Hierarchical RCU implementation.",
            "**   This means that this is a DEBUG kernel   **",
            "Kernel command line: console=ttyAMA0 panic=-1 panic_on_warn=1",
            "mem auto-init: stack:all(zero), heap alloc:off, heap free:off",
            "Lock dependency validator: Copyright (c) 2006 Red Hat")))


# Name of the test: what the console says, what is wrong with it, arguments of judge().
FAILS: dict[str, tuple] = {
    "not_ok": (KSFT.replace("ok 1 global", "not ok 1 global"), "not ok:"),
    "not_ok_says_where": (
        KSFT.replace("ok 2 global", "# cma_a.c:12:b:Expected 0 (0) == 1 (1)\n"
                     "# cma_a.c:13:b:Expected 2 (2) == 3 (3)\nnot ok 2 global"),
        r"not ok: .*\n  cma_a.c:12:.*\n  cma_a.c:13:"),
    "not_ok_nested": (
        KUNIT.replace("ok 2 order 4", "not ok 2 order 4"), "not ok: align: order 4"),
    "not_ok_is_no_skip": (KSFT.replace("ok 2 global", "not ok 2 global"), "not ok:"),
    "not_ok_without_number": ("not ok global\n", "not ok global"),
    "result_missing": (
        KSFT.replace("ok 2 global.exhaust # SKIP no driver\n", ""),
        "1 results, planned 2"),
    "result_missing_in_suite": (
        KUNIT.replace("[    0.104000]     ok 1 place\n", ""),
        "result 2 .align. where 1 was due"),
    "suite_missing": (
        KUNIT.replace("[    0.108000] ok 2 cma_parse\n", ""),
        "1 results, planned 2"),
    "result_too_many": (
        KSFT.replace("# Totals", "ok 3 more\n# Totals"), "3 results, planned 2"),
    "result_twice": (KSFT.replace("ok 2 global", "ok 1 global"), "was due"),
    "no_plan": (KSFT.replace("1..2\n", ""), "no plan"),
    "no_plan_in_suite": (KUNIT.replace("[    0.103300]     1..2\n", ""), "no plan"),
    "second_plan": (KSFT.replace("1..2\n", "1..2\n1..2\n"), "second plan"),
    "result_without_document": ("ok 1 lonely\n", "outside of any document"),
    "bail_out": (KSFT.replace("ok 2 global", "Bail out! no\nok 2 global"), "Bail out"),
    "no_test_where_wanted": ("", "no test ran", {"want_tests": True}),
    "status": (KSFT.replace("end 0", "end 139"), "status 139"),
    "skip_status_with_passed_tests": (KSFT.replace("end 0", "end 4"), "status 4"),
    "command_did_not_end": ("guest: begin: sleep 9\n", "did not end: sleep 9", {"end": ""}),
    "command_did_not_end_before_next": (
        "guest: begin: a\nguest: begin: b\nguest: end 0: b\n", "did not end: a"),
    "guest_did_not_end": (KSFT, "did not come to its end", {"end": ""}),
    "expected_message_missing": ("", "message did not come: foo", {"expect": ["foo"]}),
    "other_splat_than_announced": (
        "# expect-splat: WARNING: .*cma_release\n"
        "WARNING: CPU: 0 PID: 1 at a.c:1 cma_release+0x1/0x2\n"
        "BUG: Bad page state in process sh  pfn:4c000\n",
        "splat: BUG: Bad page"),
    "announced_splat_missing": ("# expect-splat: WARNING: foo\n", "did not come"),
}


class Fails(unittest.TestCase):
    def fails(self, text, why, kw=()):
        v = judge(text, **dict(kw))
        self.assertRegex("\n".join(v.problems), why)

    def test_unannounced_splats(self):
        for text in (
                "WARNING: CPU: 0 PID: 1 at mm/page_alloc.c:1 f+0x1/0x2",
                "WARNING: possible circular locking dependency detected",
                "WARNING: suspicious RCU usage",
                "BUG: sleeping function called from invalid context at a.c:1",
                "BUG: scheduling while atomic: sh/1/0x00000002",
                "BUG: Bad page state in process sh  pfn:4c000",
                "BUG: KASAN: use-after-free in f+0x1/0x2",
                "kernel BUG at mm/page_alloc.c:1!",
                "Internal error: Oops - BUG: 0 [#1] SMP ARM",
                "8<--- cut here ---\nUnable to handle kernel NULL pointer "
                "dereference at virtual address 00000000 when read",
                "Kernel panic - not syncing: Attempted to kill init!",
                "INFO: task sh:42 blocked for more than 120 seconds.",
                "rcu: INFO: rcu_sched detected stalls on CPUs/tasks: { 1-... }",
                "watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
                "list_add corruption. next->prev should be prev",
                "page: refcount:0 mapcount:0\npage dumped because: nonzero",
                "pagealloc: memory corruption",
                "Out of memory: Killed process 99 (fill)",
                "sh: page allocation failure: order:0, mode:0xcc0",
                "EXT4-fs error (device vda): ext4_lookup:1855",
                "cma: cma_alloc: reserved: alloc failed, req-size: 9 pages",
                "cma_test camera: cma: alloc failed, no area within reach",
                "Call trace: \n f from g+0x1/0x2"):
            with self.subTest(text):
                self.fails("".join(f"[    1.000000] {t}\n"
                                   for t in text.split("\n")), "^splat: ")

    def test_harmless_splat_and_another(self):
        harmless = ["WARNING: .* slow"]
        text = "WARNING: CPU: 0 PID: 1 at a.c:1 slow+0x1/0x2\n"
        self.assertTrue(judge("", harmless=harmless).ok)
        self.assertTrue(judge(text, harmless=harmless).ok)
        self.fails("WARNING: CPU: 0 PID: 1 at a.c:2 other+0x1/0x2\n",
                   "splat: .* other", {"harmless": harmless})

    def test_a_lock_may_be_harmless(self):
        harmless = ["lock state: &inode->i_size_seqcount at f$"]
        text = ("[ 1.0] WARNING: inconsistent lock state\n[ 1.0] ----\n"
                "[ 1.0] swapper/0/0 [HC0[0]:SC1[1]:HE0:SE0] takes:\n"
                "[ 1.0] cae1c72c ({}){{+.+-}}-{{0:0}}, at: f+0x44/0x350\n"
                "[ 1.0] other (&lock){{+.+.}}-{{0:0}}, at: g+0x4/0x3\n")
        self.assertTrue(judge(text.format("&inode->i_size_seqcount"), harmless=harmless).ok)
        self.assertFalse(judge(text.format("&cma->lock"), harmless=harmless).ok)

    def test_what_is_printed_twice_counts_once(self):
        twice = "** replaying previous printk message **\n"
        text = "TAP version 13\n1..2\nok 1 a\n{}ok 1 a\nok 2 b\n"
        self.assertEqual(len(judge(text.format(twice), want_tests=True).tests), 2)
        self.assertTrue(judge(text.format(twice), want_tests=True).ok)
        self.assertFalse(judge(text.format(""), want_tests=True).ok)

    def test_one_report_is_one_splat(self):
        v = judge("[ 1.0] WARNING: CPU: 0 PID: 1 at a.c:1 f\n"
                  "[ 1.0] Call trace: \n")
        self.assertEqual(len(v.splats), 1)

    def test_announcement_ends_with_its_command(self):
        line = "WARNING: CPU: 0 PID: 1 at a.c:1 f\n"
        self.fails(f"guest: begin: a\n# expect-splat: WARNING\n{line}"
                   f"guest: end 0: a\n{line}", "splat: WARNING")


for _name, _args in FAILS.items():
    setattr(Fails, f"test_{_name}", lambda self, args=_args: self.fails(*args))


class Configuration(unittest.TestCase):
    def test_an_older_kernel_has_fragments_of_its_own(self):
        both = [f"kernel/configs/cma_{name}.config" for name in ("callers", "64bit")]
        for version, found in ("", both), ("6.12", ["versions/6.12/" + both[0], both[1]]):
            with mock.patch("trees.bases.VERSION", version):
                self.assertEqual([kbuild.version_of(name) for name in both], found)

    def test_missing_lines(self):
        want = {"CONFIG_A": "CONFIG_A=y", "CONFIG_B": "CONFIG_B=m",
                "CONFIG_C": "# CONFIG_C is not set",
                "CONFIG_D": "# CONFIG_D is not set"}
        self.assertEqual(kbuild.missing_lines(
            want, "CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\n"),
            ["CONFIG_B=m", "# CONFIG_C is not set"])

    def test_fragments_parse_and_exist(self):
        for name, row in kbuild.KERNELS.items():
            with self.subTest(name):
                self.assertTrue(kbuild.wanted_lines([kbuild.REPO / f for f in row.fragments]))


class Guest(Case):
    def run_commands(self, *commands):
        """What the loop of guest/init tells of these."""
        init = (kbuild.REPO / "scripts/cma/guest/init").read_text()
        loop = re.search(r"^\twhile [^\n]*<&4.*?^\tdone 4</commands$", init, re.M | re.S)[0]
        tmp = self.folder({".status": "0\n"})	# of an earlier command
        (tmp / "commands").write_text("".join(
            c.replace("STATUS", f"{tmp}/.status") + "\n" for c in commands))
        loop = loop.replace("/tmp/.status", f"{tmp}/.status")
        loop = loop.replace("</commands", f"<{tmp}/commands")
        done = subprocess.run(
            ["bash", "-c", "exec 3>&1; to_console() { cat >&3; }\n" + loop],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return re.findall(r"^guest: end (\d+): ", done.stdout, re.M)

    def test_status_of_each_command(self):
        self.assertEqual(self.run_commands("true", "exit 3", "true"), ["0", "3", "0"])

    def test_no_room_for_the_status(self):
        self.assertEqual(self.run_commands(
            "true", "test ! -e STATUS && mkdir STATUS", "rmdir STATUS"),
            ["0", "255", "0"])


class Emulator(unittest.TestCase):
    def boot(self, script):
        with mock.patch.object(boards, "make_initrd"), mock.patch.object(
                boards.Setup, "command", return_value=["sh", "-c", script]), \
                tempfile.NamedTemporaryFile("r") as log:
            return boards.boot("virt", "/", log=log.name), log.read()

    def test_what_it_says_is_not_the_kernels(self):
        said = "warning: nic imx.enet.1 has no peer"
        got, log = self.boot(f"echo '{said}' >&2; echo guest: done")
        self.assertEqual(got.problems, [])
        self.assertEqual(got.lines, ["guest: done"])
        self.assertIn(said, log)

    def test_what_the_kernel_says_is(self):
        got, _ = self.boot("echo 'WARNING: CPU: 0 PID: 1'; echo guest: done")
        self.assertRegex("\n".join(got.problems), "splat: WARNING")

    def test_it_says_why_it_failed(self):
        got, _ = self.boot("echo 'no such machine' >&2; exit 1")
        self.assertRegex("\n".join(got.problems), "status 1\n  no such machine")


class Disk(unittest.TestCase):
    def test_a_card_and_its_name(self):
        board = boards.Board("any", "ttyS0", "1G", 1, disk=boards.THIRD_CARD)
        cmd = boards.Setup(board, Path("k"), disk="image").command(Path("t"))
        self.assertIn("if=sd,index=2,format=raw,snapshot=on,file=image", cmd)
        self.assertRegex(cmd[cmd.index("-append") + 1], r"\bguest_disk=mmcblk0\b")

    def test_none(self):
        cmd = boards.prepared("virt", "k").command(Path("t"))
        self.assertNotIn("guest_disk", " ".join(cmd))


class Initrd(Case):
    def test_what_is_in_it(self):
        """gen_init_cpio is told of files and, ahead of them, of their folders."""
        top = self.folder({
            "modules/a/b/x.ko": "1234", "selftests-armhf/t": "5",
            "initramfs-armhf.cpio.gz": "base", "usr/gen_init_cpio": "#!/bin/sh\nexec cat"})
        (top / "modules/a/link").symlink_to("b")
        with mock.patch.multiple(boards, TOP=top, BUILD=top):
            boards.make_initrd(top / "initrd", top, "armhf", ["ls", "true"],
                               {"/bench": b"program"})
        data = (top / "initrd").read_bytes()
        self.assertEqual(data[:512], b"base" + bytes(508))
        lines = data[512:].decode().splitlines()
        self.assertEqual(lines[:3], ["dir a 755 0 0", "dir a/b 755 0 0", "dir selftests 755 0 0"])
        got = {name: (Path(path).read_text(), mode) for _, name, path, mode, *_
               in map(str.split, lines[3:])}
        self.assertEqual(got, {
            "a/b/x.ko": ("1234", "644"), "selftests/t": ("5", "644"),
            "bench": ("program", "755"), "commands": ("ls\ntrue\n", "755")})
