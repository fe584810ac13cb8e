# SPDX-License-Identifier: GPL-2.0
"""Files on each file system that a guaranteed area serves."""

from lab import images
from stages.stage import HERE, Stage, selftests, side_by_side, stage

KERNEL = "arm-files"


@stage("files", [KERNEL], on_request=True)
def files(stage: Stage) -> None:
    """A file is changed in all ways and evicted meanwhile, with KASAN and lockdep."""
    stage.run("packages", [HERE / "deps.sh", "files"])
    selftests()
    images.make_root()

    def boot(name: str) -> None:
        system = images.SYSTEMS[name]
        image = images.make_image(name)
        mount = f"mount -t {system.mount} /dev/vda /mnt"
        fill, only = [], " -t a_file_is_read_again"
        if not system.fixed:
            # Pages that wait for the journal would not leave the area.
            fill = [images.fill("/mnt"), "umount /mnt", mount]
            only = ""
        stage.boot(name, "virt", KERNEL, append="cma=64M", mem="512M", want_tests=True,
                   expect=system.expect, timeout_s=1800, extra=images.drive(image),
                   commands=[mount, *fill, f"CMA_TEST_FILE=/mnt/{images.BIG_FILE} "
                             f"/selftests/cma/cma_guaranteed{only}", "umount /mnt"])

    side_by_side(boot, [n for n, s in images.SYSTEMS.items() if s.served])
