# SPDX-License-Identifier: GPL-2.0
"""The newest kernel of Debian, beside the one of every day: what `make check
BASE=newest` runs, or the parts of it that differ between kernels."""

import re
import time
from collections.abc import Sequence

import tree
from lab import children, lock
from stages.stage import HERE, STARTED, Stage, stage
from trees import bases

EVERY_DAY = ["tree", "virt"]
PARTS = [*EVERY_DAY, "bare", "lint", "vexpress", "64-bit", "blocks"]
LATEST_S = 45 * 60	# when EVERY_DAY may begin, as a check must end in time
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


def run_parts(stage: Stage, parts: Sequence[str]) -> None:
    env = lock.environment(bases.TOP) | {"BASE": "newest"}
    done = children.capture([HERE / "tree.py", "tree"], env=env)
    stage.log("tree", done.stdout)
    said = done.stdout.strip().splitlines() or ["it says nothing"]
    unknown = [line for line in said if tree.TRYING in line]
    if done.returncode == tree.UNAVAILABLE:
        stage.skip("the newest kernel", said[-1])
    elif unknown:
        stage.skip("the newest kernel", unknown[0])
    else:
        done = children.capture([HERE / "check.py", "--only", *parts], env=env)
        stage.log("check", done.stdout)
        count(stage, done.stdout)


# A run with BASE=newest is about that kernel already.
@stage("newest", on_request=bases.BASE == "newest")
def newest(stage: Stage) -> None:
    minutes = (time.monotonic() - STARTED) / 60
    if minutes * 60 > LATEST_S:
        stage.skip("the newest kernel", f"{minutes:.0f} minutes are over already")
    else:
        run_parts(stage, EVERY_DAY)


@stage("newest-whole", on_request=True)
def whole(stage: Stage) -> None:
    run_parts(stage, PARTS)
