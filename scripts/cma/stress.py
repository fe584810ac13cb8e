#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Stress: drivers ask for buffers while a board is busy, for as long as told.

Boots the ARM board `virt` with four CPUs and 256 MiB, of which an area has
64, first with this allocator, then with mainline's. Programs run as in a
build, files are read, data are swapped to zram, pages are held by pipes and
direct I/O; four clients take and release buffers of 4 KiB to 16 MiB, at most
60 % of the area at a time. One line a minute; the exit status is 0 if ours
has not failed a request for which there was room, nor more than a few for
whatever reason, and nobody lost data.

    stress.py                        both, 10 minutes each
    stress.py --only ours --minutes 60
    stress.py --flood                beside a network card that is flooded

Requests that failed are counted by errno: 16 a page did not move, 12 no hole
was large enough, or no memory for pages to move to. There was room for the
first; and for the second, unless our kernel says how wide the widest hole was.
Mainline does not say. Consoles are in $BUILD/stress.

What it costs others is told by two events: vmscan:mm_vmscan_throttled, how often
and for how long direct reclaim had to wait, and kmem:mm_page_alloc, how many
single pages those did not get who cannot wait (GFP_ATOMIC). Ours fails if it has
more of the latter than mainline in as many minutes, a few aside.
"""

import re
from dataclasses import dataclass, field

import bench
from lab import boards, cli, kbuild

OUT = kbuild.BUILD / "stress"
ORDER = ["ours", "mainline"]
SIZES_KIB = [4, 16, 64, 256, 1024, 4096, 16384]
BOOT_S = 300		# to boot, to fill memory, to end
SLOW = 2		# a minute of the guest's may take two
FLOOD_PACKETS = 1000	# that come in a minute at least
SHOWN = 20		# messages of requests that failed
BUSY = 16
NO_MEMORY = 12
# Kernels with drivers of network cards; and the packets that go through one.
FLOOD_KERNELS = {"ours": "arm-boards", "mainline": "base-boards"}
NETWORK = "guestfwd=tcp:10.0.2.100:7-cmd:cat"
FLOOD = ("ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up && "
         "{ (while cat /mnt/data/random.bin; do :; done | nc 10.0.2.100 7) "
         ">/dev/null 2>&1 & sleep 2; }")
FEW = 2			# that may fail, or one in so many if that is more
REQUESTS_A_FAILURE = 500

TOTAL = re.compile(r"bench: stress (\S+) (\d+) (\d+) (\d+) (\d+) (\d+)$")
ERRNO = re.compile(r"bench: stress-errno \S+ (\d+) (\d+)$")
THROTTLED = re.compile(r"bench: stress-throttled \S+ (\d+) (\d+)$")
ATOMIC = re.compile(r"bench: stress-atomic \S+ (\d+)$")
BAD = re.compile(r"bench: bad \S+ (.*)$")
FAILURE = re.compile(r"^cma: .*alloc failed")
NO_HOLE = re.compile(r"^cma: .*alloc failed, req-size: (\d+) pages, ret: -12, "
                     r"widest hole (\d+), align order (\d+)")
BLOCKER = re.compile(r"^bench: blocker ")


def says_no_hole(line: str) -> bool:
    """A hole as wide as that may be spoilt by where the request has to start."""
    if not (m := NO_HOLE.match(line)):
        return False
    nr_pages, widest, align_order = map(int, m.groups())
    return widest < nr_pages + (1 << align_order) - 1


@dataclass
class Side:
    """One kernel's run, from the lines of its console."""
    name: str
    minutes: int = 0
    requests: int = 0
    failed: int = 0
    corrupt: int = 0
    without_hole: int = 0
    worst_ms: float = 0
    throttled: int = 0
    throttled_s: float = 0
    atomic: int = 0
    errors: dict[int, int] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def line(self, line: str) -> None:
        """Takes in a line; prints one for each minute."""
        line = boards.verdict.TIMESTAMP.sub("", line)
        if m := ERRNO.match(line):
            self.errors[int(m[1])] = int(m[2])
        elif m := THROTTLED.match(line):
            self.throttled, self.throttled_s = int(m[1]), int(m[2]) / 1e6
        elif m := ATOMIC.match(line):
            self.atomic = int(m[1])
        elif m := TOTAL.match(line):
            (self.minutes, self.requests, self.failed, self.corrupt,
             worst_ns) = map(int, m.groups()[1:])
            self.worst_ms = worst_ns / 1e6
            print(f"  {self.text()}", flush=True)
        elif m := BAD.match(line):
            self.problems.append(m[1])
        elif FAILURE.match(line) or BLOCKER.match(line):
            self.messages.append(line)
            self.without_hole += says_no_hole(line)

    def avoidable(self) -> int:
        """Errors that need not have been."""
        nr = self.errors.get(BUSY, 0)
        if self.name == "ours":
            nr += max(0, self.errors.get(NO_MEMORY, 0) - self.without_hole)
        return nr

    def text(self) -> str:
        errors = "".join(f", {nr} times -{errno}" for errno, nr in sorted(self.errors.items()))
        return (f"{self.name}, {self.minutes} min: {self.requests} requests, "
                f"{self.failed} failed{errors}, {self.avoidable()} with room; "
                f"worst {self.worst_ms:.0f} ms; reclaim waited "
                f"{self.throttled} times, {self.throttled_s:.1f} s; "
                f"{self.atomic} atomic pages not to be had")

    def judge(self, result: boards.Result, minutes: int) -> None:
        """A request that failed is a figure here, and no splat."""
        self.problems += [p for p in result.problems
                          if not FAILURE.match(p.removeprefix("splat: "))]
        if self.minutes != minutes:
            self.problems.append(f"no figures for {minutes} minutes")
        if self.corrupt:
            self.problems.append(f"{self.corrupt} buffers lost data")
        if self.name != "ours":
            return
        if self.avoidable():
            self.problems.append("requests failed that had room")
        if self.failed > max(FEW, self.requests / REQUESTS_A_FAILURE):
            self.problems.append("the area is in too many pieces")


def compare(ours: Side, mainline: Side) -> None:
    """Those who cannot wait must not miss more than with mainline."""
    if ours.atomic > mainline.atomic + FEW:
        ours.problems.append(f"{ours.atomic} atomic pages not to be had, "
                             f"mainline {mainline.atomic}")


def run(name: str, kernel_name: str, minutes: int, program: bytes, flood: bool) -> Side:
    side = Side(name)
    sizes = " ".join(map(str, SIZES_KIB))
    result = boards.boot(
        "virt", kbuild.obj(kernel_name), append="cma=64M", disk=True,
        smp=4, timeout_s=BOOT_S + SLOW * 60 * minutes, on_line=side.line,
        net=NETWORK if flood else None,
        commands=[*[FLOOD] * flood,
                  f"/bench stress stress:{minutes} 1 {sizes}",
                  # That it was one.
                  *["test $(cat /sys/class/net/eth0/statistics/rx_packets) "
                    f"-gt {FLOOD_PACKETS * minutes}"] * flood],
        files={"/bench": program}, log=OUT / f"{name}.log")
    side.judge(result, minutes)
    return side


def main() -> int:
    parser = cli.parser(__doc__, builds=True)
    parser.add_argument("--only", choices=ORDER, help="one of the kernels")
    parser.add_argument("--minutes", type=int, default=10, metavar="N")
    parser.add_argument("--flood", action="store_true",
                        help="with a network card whose ring takes pages that "
                        "it cannot wait for")
    opts = parser.parse_args()
    names = [n for n in ORDER if opts.only in (None, n)]
    kernels = FLOOD_KERNELS if opts.flood else bench.KERNELS
    OUT.mkdir(parents=True, exist_ok=True)
    if not opts.no_build:
        bench.build(names, kernels)
    program = kbuild.guest_program("bench")
    sides = [run(name, kernels[name], opts.minutes, program, opts.flood) for name in names]
    if len(sides) == len(ORDER):
        compare(*sides)
    print()
    for side in sides:
        print(side.text())
        for line in side.messages[:SHOWN]:
            print(f"    {line}")
        for problem in side.problems:
            print(f"FAILED {side.name}: {problem}")
    return 1 if any(s.problems for s in sides) else 0


if __name__ == "__main__":
    cli.run(main)
