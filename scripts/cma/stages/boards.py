# SPDX-License-Identifier: GPL-2.0
"""Stages with one kernel on many boards."""

from collections.abc import Collection, Sequence
from pathlib import Path

from lab import boards, kbuild
from stages.stage import Stage, guest_files, selftests, side_by_side, stage
from stages.wide import APPEND, EACH, IOMMU_CLIENT

# Kernels without zram and KSM, in which vivid is not a module. cma_hotplug has boots
# of its own, since the kernel dumps a page of each block that stays online.
WITHOUT = {"arm64": ["cma_kinds", "cma_share", "cma_hotplug"],
           "x86_64": ["cma_kinds", "cma_share", "cma_hotplug"]}

# Tests whose result depends on the processor.
ALSO = {"versatilepb": ["cma_text"]}

# Boards of every day, which boot the image of all the others as well.
SAME_IMAGE = ["virt", "vexpress-a9"]


def boot_each_board(stage: Stage, tests: Sequence[str], kernels: Collection[str]) -> None:
    """Every board of these kernels, with these tests, and with what it has:
    drivers that hold buffers, a network."""
    chosen = [name for name, board in boards.BOARDS.items()
              if name in SAME_IMAGE or board.kernel in kernels]
    userlands = {boards.BOARDS[name].arch.userland for name in chosen}
    programs = {userland: selftests(kernel_name)
                for kernel_name, (userland, _) in kbuild.PROGRAMS.items()
                if userland in userlands}

    def boot(name: str) -> None:
        board = boards.BOARDS[name]
        left_out = WITHOUT.get(board.kernel, ())
        here = [*tests, *ALSO.get(name, ())]
        if board.iommu:
            here.append("cma_iommu")
        commands = [p for p in programs[board.arch.userland]
                    if Path(p).name in here and Path(p).name not in left_out]
        if board.holders:
            commands.insert(0, " ".join(["/holders_test", *board.holders]))
        if board.copies:
            commands.append("/copy_test")
        # ARM's own DMA API for such devices. QEMU has none of the IOMMU's
        # registers, all of them read as 0, but a device whose data the
        # processor writes needs none.
        nodes = IOMMU_CLIENT.format(board.iommu, "") if board.iommu else ""
        net = None
        if board.net:
            commands.append("/net_test")
            net = "guestfwd=tcp:10.0.2.100:7-cmd:cat"
        # Tests fill all memory there is, and 256 MiB say as much as 1 GiB.
        less = " mem=256M" if board.arch.emulator == "qemu-system-arm" else ""
        stage.boot(name, name, want_tests=True, commands=commands, net=net,
                   nodes=nodes, disk=bool(board.disk),
                   files=guest_files("holders_test", "copy_test", "net_test"),
                   kernel="arm-boards" if name in SAME_IMAGE else None,
                   append=APPEND + less, timeout_s=1800)

    side_by_side(boot, chosen)


@stage("boards", ["arm-boards", "armv5"])
def some(stage: Stage) -> None:
    """The first few tests, on boards that no other stage boots."""
    boot_each_board(stage, EACH, ["arm-boards", "armv5"])
