# SPDX-License-Identifier: GPL-2.0
"""Stages of what people run: drivers and programs that were there before, the
demonstration, the measurements.
"""

import re

from measure import cases
from stages.stage import HERE, Stage, guest_files, selftests, stage

BENCH_CASES = ["free", "kept", "swap", "pinned"]
COST = re.compile(r"(\d+) holders: place (\d+) ns, hold (\d+) ns, "
                  r"release (\d+) ns")
COST_GROWTH = 3		# from a thousand holders to a million; logarithms: 2


@stage("clients", ["arm"])
def clients(stage: Stage) -> None:
    """Drivers and programs that were there before: cameras, and the kernel's
    own test of dma-buf heaps."""
    selftests()
    stage.boot("clients", "virt", disk=True, want_tests=True,
               append="cma=64M", timeout_s=180,
               files=guest_files("camera_test", "fill_memory"),
               commands=["/camera_test",
                         "/selftests/dmabuf-heaps/dmabuf-heap"])


@stage("demo", ["arm"])
def demo(stage: Stage) -> None:
    """The demonstration, as a newcomer runs it."""
    stage.run("demo", [HERE / "demo.py", "--no-build"])


@stage("bench", ["arm"])
def bench(stage: Stage) -> None:
    """What needs no second kernel and repeats to the digit keeps its goals."""
    said = stage.run("bench", [HERE / "bench.py", "--only", "ours",
                               "--no-build", "--case", ",".join(BENCH_CASES)])
    nr = len(cases.goals_of(BENCH_CASES))
    missed = [line for line in said.splitlines() if line.endswith("MISSED")]
    stage.result(nr and f"\n{nr} of {nr} goals hold" in "\n" + said,
                 f"the {nr} goals of {', '.join(BENCH_CASES)}",
                 missed)


@stage("cost", ["arm"])
def cost(stage: Stage) -> None:
    """What the range costs hardly grows with its holders, in instructions."""
    got = stage.boot("range", "virt", icount=True, want_tests=True,
                     commands=["true"], timeout_s=600,
                     append="kunit.enable=1 kunit.filter_glob=cma_range_cost")
    costs = {int(m[1]): list(map(int, m.groups()[1:]))
             for m in map(COST.search, got.lines) if m}
    few, many = costs.get(1000), costs.get(1000000)
    stage.result(few and many and all(m <= COST_GROWTH * f for f, m
                                      in zip(few, many)),
                 "the cost with a million holders", costs)


@stage("stress", ["arm"])
def stress(stage: Stage) -> None:
    """A busy minute, after which the area is still in large pieces."""
    stage.run("stress", [HERE / "stress.py", "--only", "ours", "--no-build", "--minutes", "1"])
