# SPDX-License-Identifier: GPL-2.0
"""Which function an executed instruction belongs to, and who called whom.

Pure: a kernel's symbols and a log of addresses in, counts out. Calls are
recovered from the addresses alone, with the instruction at a jump's origin
where those do not tell: what jumps to an address behind an open call returns
to it, however many tail calls ended there.
"""

import bisect
import functools
import re
import struct
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from lab import kbuild

ARM = "arm-linux-gnueabihf-"
SWITCH = "__switch_to"
VECTORS = range(0xffff0000, 0xffff0020, 4)
VECTOR_PAGE = range(0xffff0000, 0xffff1000)
PREFETCH_ABORT, DATA_ABORT = 0xffff000c, 0xffff0010
IRQS = (0xffff0018, 0xffff001c)
MODULES = 0xbf000000


ProfileError = kbuild.BuildError		# why there is no profile


class Image:
    """vmlinux: what lies at an address. Names of equal addresses: a global
    one first, then the shortest."""

    def __init__(self, nm_lines: Iterable[str],
                 segments: Sequence[tuple[int, bytes]] = ()) -> None:
        self.segments = segments
        self.by_name: dict[str, int] = {}
        best: dict[int, tuple[bool, int, str]] = {}
        for line in nm_lines:
            text, kind, name = line.split()
            addr = int(text, 16)
            self.by_name.setdefault(name, addr)
            if kind not in "tTwW":
                continue
            rank = (kind not in "TW", len(name), name)
            best[addr] = min(best.get(addr, rank), rank)
        self.starts = sorted(best)
        self.names = [best[addr][2] for addr in self.starts]
        self.text = range(self.address("_stext"), self.address("_etext"))
        self.function = functools.cache(self.find)

    @classmethod
    def read(cls, path: Path) -> "Image":
        if not path.exists():
            raise ProfileError(f"no {path}: build the kernel first")
        nm = kbuild.run([ARM + "nm", "-n", path], stdout=subprocess.PIPE)
        with open(path, "rb") as file:
            return cls(nm.splitlines(), [(s["p_vaddr"], s.data()) for s in ELFFile(
                file).iter_segments() if s["p_type"] == "PT_LOAD"])

    def address(self, name: str) -> int:
        if name not in self.by_name:
            raise ProfileError(f"no function {name} in this kernel")
        return self.by_name[name]

    def find(self, pc: int) -> tuple[str, int | None]:
        """(name, address of its start)"""
        if pc in VECTORS:
            return "[vectors]", VECTORS[0]
        if pc < MODULES or pc in VECTOR_PAGE:
            return "[user]", None
        if pc not in self.text and pc < VECTOR_PAGE[0]:
            return "[module]", None
        at = bisect.bisect_right(self.starts, pc) - 1
        return self.names[at], self.starts[at]

    def word(self, pc: int) -> int:
        for addr, data in self.segments:
            if addr <= pc <= addr + len(data) - 4:
                return struct.unpack_from("<I", data, pc - addr)[0]
        return 0


def is_call(word: int) -> bool:
    """BL, BLX register."""
    return (word & 0x0f000000 == 0x0b000000 and word >> 28 != 0xf or
            word & 0x0ffffff0 == 0x012fff30)


def is_exception_return(word: int) -> bool:
    """LDM {..., pc}^; the vectors' own MOVS leads further in, not back."""
    return word & 0x0e508000 == 0x08508000


TRACE = re.compile(r"Trace \d+: \S+ \[\w+/(\w+)/")
# The block that the line before announced did not run: QEMU had something else
# to do, or found a device behind the address and begins once more.
NOT_RUN = ("Stopped execution of TB", "cpu_io_recompile: rewound")


def executed(lines: Iterable[str]) -> Iterator[int]:
    """The addresses of the log, but for instructions that were announced and
    not executed: see NOT_RUN, and those that faulted."""
    last = None
    for line in lines:
        if m := TRACE.match(line):
            pc = int(m[1], 16)
            if last is not None and pc not in (PREFETCH_ABORT, DATA_ABORT):
                yield last
            last = pc
        elif line.startswith(NOT_RUN):
            last = None
    if last is not None:
        yield last


@dataclass
class Frame:
    """A function at work. back: where it returns to. irq: an interrupt or
    below one. before: of an exception, the last instruction ahead of it."""
    name: str
    back: int | None
    irq: bool = False
    before: int | None = None
    count: int = 0


class Profile:
    """Attributes executed instructions to functions; keys of the counters
    are (where, name), where one of "call", "irq" and "task"."""

    def __init__(self, image: Image, switches: Iterable[tuple[int, int]] = ()) -> None:
        self.image = image
        self.switch = image.by_name.get(SWITCH)
        self.switches = iter(switches)
        self.main: int | None = None
        self.task: int | None = None
        self.next_task: int | None = None
        self.stack: list[Frame] = []
        self.own: Counter[tuple[str, str]] = Counter()
        self.calls: Counter[tuple[str, str]] = Counter()
        self.inclusive: Counter[tuple[str, str]] = Counter()

    def push(self, name: str, back: int | None, **kw: Any) -> None:
        irq = bool(self.stack) and self.stack[-1].irq
        self.stack.append(Frame(name, back, **{"irq": irq, **kw}))
        self.calls["irq" if self.stack[-1].irq else "call", name] += 1

    def pop(self) -> None:
        frame = self.stack.pop()
        where = "irq" if frame.irq else "call"
        if not any(f.name == frame.name and f.irq == frame.irq for f in self.stack):
            self.inclusive[where, frame.name] += frame.count
        if self.stack and self.stack[-1].irq == frame.irq:
            self.stack[-1].count += frame.count

    def pop_to(self, wanted: Callable[[Frame], bool]) -> bool:
        """Ends the frames above the innermost wanted one, if there is one."""
        for i in range(len(self.stack) - 1, -1, -1):
            if wanted(self.stack[i]):
                while len(self.stack) > i + 1:
                    self.pop()
                return True
        return False

    def move(self, last: int, pc: int) -> None:
        """The stack's change from one instruction to the next."""
        image = self.image
        name, start = image.function(pc)
        old = image.function(last)[0]
        if pc in VECTORS and last not in VECTORS:
            kw = {"irq": True} if pc in IRQS else {}
            self.push(name, None, before=last, **kw)
            return
        if name == old and pc == last + 4:
            return
        word = image.word(last)
        if is_exception_return(word) and self.pop_to(lambda f: f.before is not None):
            last = self.stack[-1].before
            self.pop()
            self.move(last, pc)
            return
        call = is_call(word) and pc == start
        if not call:
            if pc != last + 4 and self.pop_to(lambda f: f.back == pc):
                self.pop()
                return
            if name == old:
                return
            # From the cold part of a function back into the hot one.
            if pc != start and self.pop_to(lambda f: f.name == name):
                return
        self.push(name, last + 4 if pc != last + 4 else None)

    def run(self, pcs: Iterable[int]) -> "Profile":
        """One call, from its first instruction to its last."""
        last = None
        for pc in pcs:
            if last is not None and self.next_task is not None and \
                    self.image.function(pc)[0] != SWITCH:
                self.task, self.next_task = self.next_task, None
            if pc == self.switch:
                prev, self.next_task = next(self.switches)
                if self.main is None:
                    self.main = self.task = prev
            if self.task != self.main:
                self.own["task", self.image.function(pc)[0]] += 1
                continue	# last stays where the call went to sleep
            if last is None:
                self.push(self.image.function(pc)[0], None)
            else:
                self.move(last, pc)
            top = self.stack[-1]
            top.count += 1
            self.own["irq" if top.irq else "call", self.image.function(pc)[0]] += 1
            last = pc
        while self.stack:
            self.pop()
        return self

    def total(self, *where: str) -> int:
        return sum(n for key, n in self.own.items() if not where or key[0] in where)

    def table(self, top: int) -> list[str]:
        total = self.total()
        lines = [f"{'own':>9} {'share':>6} {'calls':>7} {'incl.':>9}  function"]
        rows = sorted(self.own.items(), key=lambda row: (-row[1], row[0]))
        for key, own in rows[:top]:
            where, name = key
            more = (f"{self.calls[key]:7} {self.inclusive[key]:9}"
                    if where != "task" else f"{'':17}")
            note = {"call": "", "irq": "  (interrupt)", "task": "  (another task)"}[where]
            lines.append(f"{own:9} {own / total:6.1%} {more}  {name}{note}")
        if rows[top:]:
            rest = sum(own for _, own in rows[top:])
            lines.append(f"{rest:9} {rest / total:6.1%} {'':17}  "
                         f"{len(rows) - top} more")
        lines.append(f"{total:9} {1:6.1%} {'':17}  total: "
                     f"{self.total('call')} of the call, "
                     f"{self.total('irq')} in interrupts, "
                     f"{self.total('task')} in other tasks")
        return lines
