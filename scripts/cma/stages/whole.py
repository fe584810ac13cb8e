# SPDX-License-Identifier: GPL-2.0
"""Stages that go through all there is: every board, every patch of the series."""

from pathlib import Path

from lab import boards, kbuild
from stages.boards import boot_each_board
from stages.stage import BUILD, HERE, LOGS, Stage, selftests, stage
from trees import git

STEP = "step-arm"
# These commands take all memory from the page allocator, and give it back.
FILL = ["dd if=/dev/zero of=/tmp/filled bs=1M count=180", "rm /tmp/filled",
        "echo 3 >/proc/sys/vm/drop_caches"]


@stage("by-hand", list(dict.fromkeys(b.kernel for b in boards.BOARDS.values())),
       on_request=True)
def by_hand(stage: Stage) -> None:
    """Every board of the table comes up as a person boots it, and is said to."""
    for name in boards.BOARDS:
        said = stage.run(name, [HERE / "boot.py", name, "--run", "true"])
        stage.result(f"{name}: passed" in said, f"boot.py {name}", said)


@stage("boards-whole", ["arm-boards", "armv5", "arm64", "x86_64"], on_request=True)
def boards_whole(stage: Stage) -> None:
    boot_each_board(stage, [Path(p).name for p in selftests()],
                    ["arm-boards", "armv5", "arm64", "x86_64"])


def start() -> tuple[Path, git.Repo]:
    """A worktree of base, whatever an earlier run left in it."""
    src = kbuild.worktree("base", "step")
    tree = git.Repo(src)
    tree.run("am", "--quit", check=False)
    tree.run("checkout", "-q", "-f", "--detach", "base")
    tree.run("clean", "-q", "-f", "-d", "-x")
    return src, tree


def take_step(stage: Stage, patch: Path, src: Path, last: bool) -> None:
    """What a patch left is built and booted. The options of ours come with the
    last, and its areas."""
    try:
        kbuild.configure(STEP, src, whole=last)
        kbuild.make(STEP, [kbuild.IMAGE["arm"], "modules"], src,
                    LOGS / f"bisect-{patch.stem}.log")
    except kbuild.BuildError as err:
        stage.result(False, patch.name, err)
        return
    stage.result(True, patch.name)
    stage.boot(f"{patch.stem}-boot", "virt", STEP, commands=FILL, append="cma=64M",
               expect=["^cma: reserved: 64 MiB"] if last else [])


@stage("bisect", on_request=True)
def bisect(stage: Stage) -> None:
    """Each patch leaves a kernel that builds and boots: git bisect may stop at
    any."""
    patches = sorted((BUILD / "patches").glob("*.patch"))
    stage.result(bool(patches), "patches to apply", "none; the stage series makes them")
    src, tree = start()
    for patch in patches:
        tree.run("am", "-q", str(patch))
        take_step(stage, patch, src, patch is patches[-1])
