# SPDX-License-Identifier: GPL-2.0
"""Which file systems files.py takes, and what it tells their boards to do."""

import unittest
from unittest import mock

import files
from lab import boards, images
from tests.case import Case


class Files(Case):
    def run_main(self, *args, problems=()):
        result = boards.Result([], 1, [boards.verdict.Test("fio", "ok")], list(problems), [])
        run = mock.Mock(return_value=result)
        self.patch({"files.run": run})
        with mock.patch("sys.argv", ["files.py", "--no-build", *args]), \
                mock.patch("builtins.print"):
            return files.main(), [call.args for call in run.call_args_list]

    def test_four_of_them_unless_told(self):
        status, runs = self.run_main("--hours", "0.1")
        self.assertEqual(status, 0)
        self.assertEqual(sorted(runs), [(name, 6) for name in ("btrfs", "ext4", "f2fs", "xfs")])

    def test_a_wrong_byte_fails(self):
        status, runs = self.run_main("ext2", problems=["not ok: fio"])
        self.assertEqual((status, runs), (1, [("ext2", 60)]))

    def test_what_never_changes_is_refused(self):
        for name in "squashfs", "ntfs":
            with self.assertRaises(SystemExit), mock.patch("sys.stderr"):
                self.run_main(name)

    def test_the_area_is_taken_on_a_file_system_that_is_served(self):
        for name, folder in ("xfs", "/mnt"), ("btrfs", "/disk"):
            commands = files.commands(images.SYSTEMS[name], 5)
            self.assertIn(f"mount -t {name} /dev/vdb /mnt", commands)
            self.assertIn(f"/files_test 5 {folder}/{images.BIG_FILE}", commands)


if __name__ == "__main__":
    unittest.main()
