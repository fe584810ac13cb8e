# SPDX-License-Identifier: GPL-2.0
"""Files on each file system that a guaranteed area serves."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import kbuild
from stages.stage import BUILD, HERE, Stage, selftests, side_by_side, stage

KERNEL = "arm-files"
FOLDER = BUILD / "files"
BIG_FILE = "random.bin"
BIG_SIZE = 24 << 20
APPEND = "cma=64M"
MEM = "512M"


@dataclass
class System:
    """make: makes it of an empty image, or, if it never changes, of a folder; the
    command ends with the image. size: of the image, MiB. mount: its type, options.
    expect: what the kernel says then."""
    make: Sequence[str]
    mount: str
    size: int = 512
    fixed: bool = False
    expect: Sequence[str] = ()


SYSTEMS = {
    "ext4": System(["/sbin/mke2fs", "-q", "-t", "ext4", "-b", "4096"], "ext4"),
    # A page has four blocks, and may be truncated between two of them.
    "ext4-1k": System(["/sbin/mke2fs", "-q", "-t", "ext4", "-b", "1024"], "ext4"),
    "ext4-inline": System(["/sbin/mke2fs", "-q", "-t", "ext4", "-O", "inline_data"], "ext4"),
    "ext4-journal": System(["/sbin/mke2fs", "-q", "-t", "ext4"],
                           "ext4 -o data=journal", expect=[
                               "^EXT4-fs: Warning: mounting with data=journal"]),
    "ext2": System(["/sbin/mke2fs", "-q", "-t", "ext2", "-b", "1024"], "ext4"),
    "xfs": System(["/sbin/mkfs.xfs", "-q"], "xfs"),
    "xfs-1k": System(["/sbin/mkfs.xfs", "-q", "-b", "size=1024"], "xfs"),
    "f2fs": System(["/sbin/mkfs.f2fs", "-q"], "f2fs"),
    "vfat": System(["/sbin/mkfs.fat", "-F", "32"], "vfat"),
    "squashfs": System(["mksquashfs"], "squashfs", fixed=True),
    "erofs": System(["mkfs.erofs", "-zlz4"], "erofs", fixed=True),
}


def make_image(name: str, system: System) -> Path:
    """The image of a file system, new."""
    image = FOLDER / f"{name}.img"
    image.unlink(missing_ok=True)
    cmd: list[str | Path] = [*system.make]
    if system.mount == "squashfs":
        cmd += [FOLDER / "root", image, "-quiet", "-no-progress"]
    elif system.mount == "erofs":
        cmd += [image, FOLDER / "root"]
    else:
        image.touch()
        os.truncate(image, system.size << 20)
        cmd += [image]
    kbuild.run_quietly(f"{image.name}: ", cmd)
    return image


def make_root() -> None:
    """What is in those that never change: half of the file can be compressed."""
    path = FOLDER / "root" / BIG_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        while file.tell() < BIG_SIZE:
            file.write(os.urandom(2048) + bytes(2048))


@stage("files", [KERNEL], on_request=True)
def files(stage: Stage) -> None:
    """A file is changed in all ways and evicted meanwhile, with KASAN and lockdep."""
    stage.run("packages", [HERE / "deps.sh", "files"])
    selftests()
    make_root()

    def boot(name: str) -> None:
        system = SYSTEMS[name]
        image = make_image(name, system)
        mount = f"mount -t {system.mount} /dev/vda /mnt"
        fill, only = [], " -t a_file_is_read_again"
        if not system.fixed:
            # Pages that wait for the journal would not leave the area.
            fill = [f"dd if=/dev/urandom of=/mnt/{BIG_FILE} bs=1M count={BIG_SIZE >> 20}",
                    "umount /mnt", mount]
            only = ""
        stage.boot(name, "virt", KERNEL, append=APPEND, mem=MEM, want_tests=True,
                   expect=system.expect, timeout_s=1800, extra=[
                       "-drive", f"if=none,id=files,format=raw,snapshot=on,file={image}",
                       "-device", "virtio-blk-device,drive=files"],
                   commands=[mount, *fill,
                             f"CMA_TEST_FILE=/mnt/{BIG_FILE} "
                             f"/selftests/cma/cma_guaranteed{only}", "umount /mnt"])

    side_by_side(boot, list(SYSTEMS))
