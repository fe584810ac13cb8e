# SPDX-License-Identifier: GPL-2.0
"""The stage of check.py that goes through the series, patch by patch."""

from lab import kbuild
from stages.stage import BUILD, LOGS
from trees import git

STEP = "step-arm"
# Every folder that the series touches and the kernel of a board has.
TARGETS = ["mm/", "kernel/dma/", "drivers/base/", "drivers/of/",
           "drivers/dma-buf/", "arch/arm/mm/", "fs/buffer.o"]


def start():
    """A worktree of base, whatever an earlier run left in it."""
    src = kbuild.worktree("base", "step")
    tree = git.Repo(src)
    tree.run("am", "--quit", check=False)
    tree.run("checkout", "-q", "-f", "--detach", "base")
    tree.run("clean", "-q", "-f", "-d", "-x")
    return src, tree


def stage_bisect(stage):
    """Each patch leaves a kernel that builds: git bisect may stop at any.
    The options of ours come with the last."""
    patches = sorted((BUILD / "patches").glob("*.patch"))
    stage.result(bool(patches), "patches to apply",
                 "none; the stage series makes them")
    src, tree = start()
    for patch in patches:
        tree.run("am", "-q", str(patch))
        try:
            kbuild.configure(STEP, src, whole=patch is patches[-1])
            kbuild.make(STEP, TARGETS, src, LOGS / f"bisect-{patch.stem}.log")
        except kbuild.BuildError as err:
            stage.result(False, patch.name, err)
        else:
            stage.result(True, patch.name)
