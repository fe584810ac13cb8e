# SPDX-License-Identifier: GPL-2.0
"""Areas as boards declare them: each boots, and the binding knows their form."""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from lab import boards, kbuild
from stages import areas, areas_wrong, binding
from stages.stage import TOP, Stage, selftests, side_by_side, stage
from trees import debian


def check_binding(stage: Stage, cases: Iterable[areas.Case]) -> None:
    """dt-schema has nothing against what is right and names what is wrong; and
    as long as it does not know our property, nothing else that is ours."""
    try:
        today = binding.Binding(binding.fetch_schemas(TOP))
    except debian.Unavailable as err:
        stage.skip("the binding", f"no schemas: {err}")
        return
    with tempfile.TemporaryDirectory(prefix="cma-dtb-") as tmp:
        wanted = today.edited(tmp)
        said = wanted.faults_of_its_own()
        stage.result(not said, "the binding", said)
        dtb = Path(tmp) / "nodes.dtb"
        for case in cases:
            if case.refused is None:
                continue
            case.compile(dtb)
            said = wanted.faults(dtb)
            stage.result(case.refused_by(said), f"{case.name}: the binding",
                         said or "it says nothing against it")
            unknown = binding.unknown(today.faults(dtb))
            stage.result(unknown <= {binding.PROPERTY},
                         f"{case.name}: no other property", unknown)


def end_of_kernel(name: str) -> int:
    """The first page behind the kernel on virt, where RAM begins at 1 GiB."""
    end = int(re.search(r"^(\w+) \w _end$", kbuild.nm(name), re.M)[1], 16)
    return ((end - 0xc0000000 + 0xfff) & ~0xfff) + 0x40000000


# virt has the RAM disk 128 MiB above the start of RAM, and the trees of cases
# have areas behind it.
RAM_DISK_BYTES = 16 << 20


def check_room_of_ram_disk(stage: Stage) -> None:
    """A RAM disk that reached the areas would take the places that they ask for."""
    with tempfile.TemporaryDirectory(prefix="cma-initrd-") as tmp:
        disk = Path(tmp) / "initrd"
        boards.make_initrd(disk, kbuild.obj("arm"), "armhf", None, {})
        size = disk.stat().st_size
    stage.result(size < RAM_DISK_BYTES, "areas: the RAM disk leaves their places free",
                 f"{size >> 10} KiB of {RAM_DISK_BYTES >> 10} KiB")


@stage("areas", ["arm", "arm-boards", "armv5"])
def boots(stage: Stage) -> None:
    """Each form of an area, as board engineers write it, and each error. The
    examples of the manual are booted as they stand there."""
    selftests()
    manual = areas.manual_cases(kbuild.REPO / areas.MANUAL_RST)
    check_binding(stage, areas.TREES + [areas_wrong.ODD, areas.MANUAL_TREE])
    cases = [*areas.TREES, *manual, *areas.OTHERS, *areas_wrong.CASES,
             areas.beside_kernel(end_of_kernel("arm"))]
    userlands = {boards.BOARDS[c.board].arch.userland for c in cases}
    for name, (userland, _) in kbuild.PROGRAMS.items():
        if userland in userlands:
            selftests(name)
    check_room_of_ram_disk(stage)

    def boot(case: areas.Case) -> None:
        stage.boot(case.name, case.board, nodes=case.nodes,
                   overlays=case.overlays, append=case.append, mem=case.mem,
                   commands=case.commands, expect=case.expect,
                   want_tests=True, timeout_s=300)

    side_by_side(boot, cases)
