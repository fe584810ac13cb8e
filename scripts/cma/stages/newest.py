# SPDX-License-Identifier: GPL-2.0
"""The newest kernel of Debian, beside the one of every day: what `make check
BASE=newest` runs, or the parts of it that differ between kernels."""

import re

import tree
from lab import children, lock
from stages.stage import HERE, Stage, stage
from trees import bases

PARTS = ["tree", "bare", "lint", "virt", "vexpress", "64-bit",
         "blocks"]
TOTAL = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
FAILED = re.compile(r"^  FAILED .*(?:\n    .*)*", re.M)


def count(stage: Stage, said: str) -> None:
    """The total of another run becomes that of the stage."""
    total = TOTAL.search(said)
    if not total:
        stage.result(False, "newest: it did not end", said.splitlines()[-20:])
        return
    passed, failed, skipped = map(int, total.groups())
    stage.passed += passed
    stage.skipped += skipped
    for result in FAILED.findall(said)[:failed]:
        stage.result(False, result.strip())
    stage.failed += failed - len(FAILED.findall(said)[:failed])


@stage("newest", on_request=True)
def newest(stage: Stage) -> None:
    env = lock.environment(bases.TOP) | {"BASE": "newest"}
    done = children.capture([HERE / "tree.py", "tree"], env=env)
    stage.log("tree", done.stdout)
    if done.returncode == tree.UNAVAILABLE:
        said = done.stdout.strip().splitlines()
        stage.skip("the newest kernel", said[-1] if said else "not to be had")
        return
    done = children.capture([HERE / "check.py", "--only", *PARTS], env=env)
    stage.log("check", done.stdout)
    count(stage, done.stdout)
