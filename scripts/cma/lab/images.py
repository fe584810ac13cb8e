# SPDX-License-Identifier: GPL-2.0
"""Images of file systems, and how a board gets one as a disk."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import kbuild

FOLDER = kbuild.BUILD / "files"
BIG_FILE = "random.bin"
BIG_SIZE = 24 << 20


@dataclass
class System:
    """make: makes it of an empty image, or, if it never changes, of a folder; the
    command ends with the image. size: of the image, MiB. mount: its type, options.
    served: a guaranteed area has copies of its files. expect: what the kernel says
    then."""
    make: Sequence[str]
    mount: str
    size: int = 512
    fixed: bool = False
    served: bool = True
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
    "btrfs": System(["/sbin/mkfs.btrfs", "-q"], "btrfs", served=False),
    "squashfs": System(["mksquashfs"], "squashfs", fixed=True),
    "erofs": System(["mkfs.erofs", "-zlz4"], "erofs", fixed=True),
}


def make_image(name: str) -> Path:
    """The image of one of SYSTEMS, new."""
    system = SYSTEMS[name]
    FOLDER.mkdir(parents=True, exist_ok=True)
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


def drive(image: Path, name: str = "files") -> list[str]:
    """Options of QEMU for the board virt; its own disk, if it has one, comes first."""
    return ["-drive", f"if=none,id={name},format=raw,snapshot=on,file={image}",
            "-device", f"virtio-blk-device,drive={name}"]


def fill(mount_point: str) -> str:
    """The guest's command that makes a file there."""
    return f"dd if=/dev/urandom of={mount_point}/{BIG_FILE} bs=1M count={BIG_SIZE >> 20}"
