#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Files: programs change files for hours while a guaranteed area has copies.

Boots the ARM board `virt` once for each file system, with KASAN and lockdep, and
a disk of that file system. fio changes files there and compares all that it has
written: by write(), where a file is mapped, past the page cache, with blocks of
several sizes. It has little memory, so what it reads was evicted before. Beside
it, the selftest cma_guaranteed truncates files, punches holes, takes the area and
gives it back. After each round the files are read by way of the page cache and
past it, which must give the same.

    files.py --hours 1               ext4, xfs, f2fs, btrfs
    files.py --hours 0.1 ext4-1k     ten minutes or less, on this one

Consoles are in $BUILD/files. The exit status is 0 if no byte was wrong and no log
has a splat.
"""

from concurrent.futures import ThreadPoolExecutor

import bench
import soak
from lab import boards, cli, images, kbuild

KERNEL = "arm-files"
DEFAULT = ["ext4", "xfs", "f2fs", "btrfs"]
START_S = 1200		# to boot, and to end the last round
SLOW = 4		# all boards at once; a minute of a guest's may take some
ROUND = "files: "


def commands(system: images.System, minutes: int) -> list[str]:
    """What the guest runs. A file system that is not served has the area beside it."""
    folder = "/mnt" if system.served else "/disk"
    return ["mkdir /disk", "mount -t ext4 /dev/vda /disk", f"mount -t {system.mount} /dev/vdb /mnt",
            images.fill(folder), f"/files_test {minutes} {folder}/{images.BIG_FILE}",
            "umount /disk/mnt", "umount /mnt"]


def run(name: str, minutes: int) -> boards.Result:
    def on_line(line: str) -> None:
        text = boards.verdict.TIMESTAMP.sub("", line)
        if text.startswith(ROUND):
            print(f"  {name}: {text.removeprefix(ROUND)}", flush=True)

    system = images.SYSTEMS[name]
    test = kbuild.REPO / "scripts/cma/guest/files_test"
    return boards.boot(
        "virt", kbuild.obj(KERNEL), append=f"cma=64M {soak.PATIENT}", mem="512M",
        want_tests=True, expect=system.expect, timeout_s=START_S + SLOW * 60 * minutes,
        quiet_s=soak.QUIET_S, on_line=on_line, commands=commands(system, minutes),
        files={"/files_test": test.read_bytes()},
        # The last one is vda.
        extra=[*images.drive(images.make_image(name)),
               *images.drive(kbuild.TOP / "programs.ext4", "programs")],
        log=images.FOLDER / f"{name}.log")


def main() -> int:
    parser = cli.parser(__doc__, builds=True)
    soak.add_hours(parser)
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", default=DEFAULT,
                        help=f"of {', '.join(n for n, s in images.SYSTEMS.items() if not s.fixed)}")
    opts = parser.parse_args()
    if bad := [n for n in opts.systems if n not in images.SYSTEMS or images.SYSTEMS[n].fixed]:
        parser.error(f"no file system that changes: {', '.join(bad)}")
    if not opts.no_build:
        bench.build([KERNEL], {**bench.KERNELS, KERNEL: KERNEL})
        kbuild.userland("+fio,coreutils")
        kbuild.selftests()
    with ThreadPoolExecutor(len(opts.systems)) as pool:
        results = dict(zip(opts.systems, pool.map(
            lambda name: run(name, opts.minutes), opts.systems)))
    print()
    for name, result in results.items():
        ok = sum(test.status == "ok" for test in result.ktap)
        print(f"{name}: {ok} of {len(result.ktap)} tests passed, {result.elapsed_s:.0f} s")
        for problem in result.problems:
            print(f"FAILED {name}: {problem}")
    return 1 if any(r.problems for r in results.values()) else 0


if __name__ == "__main__":
    cli.run(main)
