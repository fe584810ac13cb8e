#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Boots a board from the command line.

    boot.py virt                                  a shell on the board
    boot.py virt --run 'cat /proc/meminfo'        run, power off, judge
    boot.py virt --kunit 'cma*'                   KUnit suites
    boot.py vexpress-a9 --append cma=64M --disk --echo --run ...
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from lab import boards, cli, kbuild


def prepare(name: str, kernel_dir: Path | None = None) -> None:
    """Makes what the board needs, but for its kernel, unless it is there."""
    board = boards.BOARDS[name]
    image = Path(kernel_dir or kbuild.obj(board.kernel)) / board.arch.image
    if not image.exists():
        raise kbuild.BuildError(
            f"no kernel at {image}: run scripts/cma/kernel.py build "
            f"{'NAME' if kernel_dir else board.kernel}")
    userland = board.arch.userland
    there = (kbuild.TOP / f"initramfs-{userland}.cpio.gz").exists()
    if there and shutil.which(board.arch.emulator):
        return
    kbuild.install_packages("demo" if userland == "armhf" else "check")
    kbuild.userland(userland)


def parser_of(text: str) -> argparse.ArgumentParser:
    """Of a command that boots a board, with the options that all of them have."""
    parser = cli.parser(text)
    parser.add_argument("board", choices=boards.BOARDS)
    parser.add_argument("--kernel", metavar="DIR",
                        help="object folder (default that of the board's kernel)")
    parser.add_argument("--append", default="", help="kernel parameters")
    parser.add_argument("--mem", help="e.g. 256M")
    parser.add_argument("--disk", nargs="?", const=True, metavar="IMAGE",
                        help="attach $BUILD/disk.ext4 or IMAGE; writes to it are lost")
    parser.add_argument("--run", action="append", metavar="COMMAND",
                        help="shell line for the guest; may be repeated")
    parser.add_argument("--timeout", type=int, default=300, metavar="S")
    return parser


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--smp", type=int)
    parser.add_argument("--kunit", metavar="GLOB", help="run these KUnit suites at boot")
    parser.add_argument("--ask-host", action="store_true",
                        help="with a balloon, which the guest can ask for")
    parser.add_argument("--nodes", metavar="FILE", default=os.devnull,
                        help="device tree source to add to the board's")
    parser.add_argument("--icount", action="store_true",
                        help="one vCPU, one instruction a nanosecond")
    parser.add_argument("--log", help="write the console here")
    parser.add_argument("--echo", action="store_true", help="show the console")
    opts = parser.parse_args()
    if opts.disk and not boards.BOARDS[opts.board].disk:
        parser.error(f"{opts.board} has no disk here")
    prepare(opts.board, opts.kernel)
    if not opts.run and not opts.kunit and sys.stdin.isatty():
        return boards.shell(opts.board, opts.kernel, opts.append, mem=opts.mem, disk=opts.disk)
    if opts.kunit:
        opts.append += f" kunit.enable=1 kunit.filter_glob={opts.kunit}"
    result = boards.boot(
        opts.board, opts.kernel, append=opts.append, mem=opts.mem, disk=opts.disk,
        timeout_s=opts.timeout, on_line=print if opts.echo else None,
        commands=opts.run or [], smp=opts.smp, icount=opts.icount, log=opts.log,
        want_tests=bool(opts.kunit), ask_host=opts.ask_host,
        nodes=Path(opts.nodes).read_text())
    for test in result.ktap:
        print(f"{test.status:7}{test.name}" + (f" ({test.reason})" if test.reason else ""))
    for problem in result.problems:
        print(f"PROBLEM {problem}")
    print(f"{opts.board}: {'passed' if result.ok else 'FAILED'} "
          f"in {result.elapsed_s:.0f} s")
    return 0 if result.ok else 1


if __name__ == "__main__":
    cli.run(main)
