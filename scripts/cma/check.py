#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Runs every test of the project, the quick ones first.

    check.py                 all stages
    check.py --only STAGE    one or more of them, in the order of all
    check.py --list

The last line is "N passed, N failed, N skipped"; the exit status is 0 only
if nothing failed. What cannot run has failed. Logs: $BUILD/check/.
"""

import time
import traceback
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from lab import cli, kbuild, lock
from stages.stage import LOGS, STAGES, TOP, Builder, Stage


def run_stage(builder: Builder, name: str) -> Stage:
    """A stage from its kernels to its sum. A kernel that does not build is
    not booted as it was before."""
    print(f"=== {name}", flush=True)
    stage = Stage(name)
    try:
        if builder.build_for(stage, STAGES[name].kernels):
            STAGES[name].run(stage)
    except kbuild.BuildError as err:
        stage.result(False, name, err)
    except Exception:
        stage.result(False, name, traceback.format_exc())
    print(f"=== {name}: {stage.passed} passed, {stage.failed} failed, "
          f"{stage.skipped} skipped, "
          f"{time.monotonic() - stage.start:.0f} s", flush=True)
    return stage


def run_stages(wanted: Collection[str]) -> list[Stage]:
    """Those that change the trees come first, then kernels are built while
    the others run. One long boot goes on beside all that come after it."""
    stages: list[Stage] = []
    beside = []
    builder = Builder()
    names = [n for n in STAGES if n in wanted]
    ahead = list(dict.fromkeys(k for n in names for k in STAGES[n].kernels))
    with ThreadPoolExecutor(1) as pool:
        for name in names:
            if ahead and not STAGES[name].changes_trees:
                builder.build_ahead(ahead)
                ahead = []
            if STAGES[name].beside:
                beside.append(pool.submit(run_stage, builder, name))
            else:
                stages.append(run_stage(builder, name))
        return stages + [stage.result() for stage in beside]


def main() -> int:
    parser = cli.parser(__doc__)
    parser.add_argument("--only", nargs="+", choices=STAGES,
                        metavar="STAGE",
                        default=[n for n, s in STAGES.items() if not s.on_request])
    parser.add_argument("--list", action="store_true")
    opts = parser.parse_args()
    if opts.list:
        print("\n".join(STAGES))
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    with lock.held(TOP):		# of all that the stages start
        kbuild.userland()
        stages = run_stages(opts.only)
    passed, failed, skipped = (sum(getattr(s, k) for s in stages)
                               for k in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    cli.run(main)
