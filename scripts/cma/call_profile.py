#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Where the instructions of one call go, function by function.

    call_profile.py virt --append cma=64M --run 'dma_once 4096 3' --nth 2 \\
        --function dma_alloc_attrs --function dma_free_attrs

Boots a board with one vCPU and one instruction a nanosecond, and records the
run. Then runs it once more, stops at the N-th call of a function after the
boot, and has QEMU log the address of every instruction until that call
returns. Replayed and not run live, since under -icount a stop would let the
guest's clock jump to its next timer, into the middle of the call. So the
profile is exact, and the total is the time that the guest measured in the
first run, but for time in which there was nothing to run.

    own     instructions of the function itself
    calls   how often it was entered from another one, or by a call
    incl.   with the functions that it called; not interrupts, other tasks

dma_once SIZE_BYTES [COUNT], guest/dma_once.c, and bench, guest/bench.c, are there
for --run. 32-bit ARM kernels without Thumb. vmlinux in the object folder must be the
kernel that boots.
"""

import argparse
import contextlib
import functools
import socket
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boot
from lab import boards, cli, kbuild, verdict
from measure.calls import SWITCH, Image, Profile, ProfileError, executed

BOOTED = "free_initmem"		# called once, before the first process
PC, LR, SP = 15, 14, 13		# numbers of the stub's registers


class Stub:
    """QEMU's gdb stub, as far as it is needed. The guest does not run before
    the first go()."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout_s)
        end = time.monotonic() + 10
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError as err:
                if time.monotonic() > end:
                    raise ProfileError("QEMU does not answer") from err
                time.sleep(0.05)
        self.file = self.socket.makefile("rb")
        # Single registers are for those only who know what there is.
        self.ask("qXfer:features:read:target.xml:0,ffb")

    def send(self, text: str) -> None:
        data = text.encode()
        self.socket.sendall(b"$%s#%02x" % (data, sum(data) & 0xff))

    def receive(self) -> str | None:
        """One packet; None once QEMU has ended."""
        while (char := self.file.read(1)) != b"$":
            if not char:
                return None
        data = bytearray()
        while (char := self.file.read(1)) != b"#":
            if not char:
                return None
            data += char
        self.file.read(2)
        return data.decode()

    def ask(self, text: str) -> str:
        self.send(text)
        answer = self.receive()
        if answer is None or answer.startswith("E"):
            raise ProfileError(f"QEMU's answer to {text}: {answer}")
        return answer

    def register(self, number: int) -> int:
        return int.from_bytes(bytes.fromhex(self.ask(f"p{number:x}")), "little")

    def monitor(self, command: str) -> None:
        """A command of QEMU's monitor; those used here print nothing."""
        self.send("qRcmd," + command.encode().hex())
        said = ""
        while (answer := self.receive()) not in ("OK", None):
            said += bytes.fromhex(answer[1:]).decode(errors="replace")
        if said or answer is None:
            raise ProfileError(f"QEMU's answer to {command}: {said}")

    def breakpoints(self, letter: str, addrs: Collection[int]) -> None:
        """Z sets, z clears; of the hardware's kind, to leave code alone."""
        for addr in addrs:
            self.ask(f"{letter}1,{addr:x},4")

    def go(self, addrs: Collection[int]) -> int | None:
        """Runs to the next of the addresses; None when the guest has ended."""
        if self.register(PC) in addrs:
            self.ask("s")
            if (pc := self.register(PC)) in addrs:
                return pc
        self.breakpoints("Z", addrs)
        self.send("c")
        answer = self.receive()
        if answer is None or answer[0] in "WX":
            return None
        pc = self.register(PC)
        if pc not in addrs:
            raise ProfileError(f"stopped at {pc:#x}: {answer}")
        self.breakpoints("z", addrs)
        return pc


@dataclass
class Want:
    """A function and which call of it: left is what is still to count."""
    name: str
    left: int
    when: list[tuple[int, int]]

    def hit(self, stub: Stub) -> bool:
        if all(stub.register(r) == value for r, value in self.when):
            self.left -= 1
        return not self.left


def record(stub: Stub, image: Image, log: Path) -> Profile:
    """Runs the call that begins here to its end; returns its profile. Which
    task runs is not in the log, so each switch is a stop."""
    back, sp = stub.register(LR), stub.register(SP)
    switch = image.address(SWITCH)
    switches = []
    for command in f"logfile {log}", "singlestep on", "log exec,nochain":
        stub.monitor(command)
    while pc := stub.go((back, switch)):
        if pc == switch:
            switches.append((stub.register(1), stub.register(2)))
        elif stub.register(SP) == sp:
            break
    if not pc:
        raise ProfileError("the call did not return")
    for command in "log none", "singlestep off":
        stub.monitor(command)
    with open(log) as lines:
        found = Profile(image, switches).run(executed(lines))
    log.unlink()
    return found


def profile(stub: Stub, image: Image, wants: Iterable[Want], log: Path,
            on_profile: Callable[[Want, Profile, float], None]) -> None:
    """Waits for every wanted call in turn, and hands on each profile."""
    left = {image.address(want.name): want for want in wants}
    if not stub.go((image.address(BOOTED),)):
        raise ProfileError("the kernel did not boot")
    while left:
        addr = stub.go(tuple(left))
        if not addr:
            raise ProfileError("not called: " + ", ".join(
                f"{w.name}, {w.left} more times" for w in left.values()))
        if left[addr].hit(stub):
            start = time.monotonic()
            found = record(stub, image, log)
            on_profile(left.pop(addr), found, time.monotonic() - start)


def profile_at(path: Path, timeout_s: float, *args: Any) -> None:
    """Profiles the guest of the QEMU whose stub is at @path, and ends it."""
    stub = Stub(path, timeout_s)
    try:
        profile(stub, *args)
    finally:
        # Without its debugger the guest would stand still.
        with contextlib.suppress(OSError):
            stub.send("k")


def said_by_commands(lines: Iterable[str]) -> Iterator[str]:
    """What the commands printed, and the kernel meanwhile."""
    inside = False
    for line in lines:
        text = verdict.TIMESTAMP.sub("", line)
        inside = (inside or bool(verdict.BEGIN.match(text))) and not verdict.END.match(text)
        if inside:
            yield text


def condition(text: str) -> tuple[int, int]:
    register, value = text.split("=")
    if not register.startswith("r"):
        raise ValueError(text)
    return int(register[1:]), int(value, 0)


def options() -> argparse.Namespace:
    parser = boot.parser_of(__doc__)
    parser.add_argument("--function", action="append", required=True,
                        metavar="NAME", help="may be repeated, for functions "
                        "that do not call each other")
    parser.add_argument("--nth", type=int, default=1, metavar="N",
                        help="which call after the boot (default 1)")
    parser.add_argument("--when", action="append", type=condition, default=[],
                        metavar="rN=VALUE", help="count only calls with this "
                        "in an argument's register, e.g. r1=65536")
    parser.add_argument("--top", type=int, default=40, metavar="N",
                        help="lines of a table (default 40)")
    opts = parser.parse_args()
    if not opts.run:
        parser.error("a command for --run is missing")
    return opts


def main() -> int:
    opts = options()
    kernel_dir = Path(opts.kernel or kbuild.obj(boards.BOARDS[opts.board].kernel))

    def show(want: Want, found: Profile, elapsed_s: float) -> None:
        print(f"\n{want.name}, call {opts.nth}: {found.total()} instructions "
              f"({elapsed_s:.1f} s)")
        print("\n".join(found.table(opts.top)), flush=True)

    with tempfile.TemporaryDirectory(prefix="cma-profile-") as folder:
        tmp = Path(folder)
        image = Image.read(kernel_dir / "vmlinux")
        wants = [Want(name, opts.nth, opts.when) for name in opts.function]
        for want in wants:
            image.address(want.name)
        programs = {f"/bin/{name}": kbuild.guest_program(name) for name in ("dma_once", "bench")}
        booted = functools.partial(
            boards.boot, opts.board, kernel_dir, append=opts.append, mem=opts.mem,
            disk=opts.disk, timeout_s=opts.timeout, commands=opts.run, icount=True,
            files=programs)
        result = booted(replay=("record", tmp / "run"))
        for line in said_by_commands(result.lines):
            print(line)
        problems = result.problems
        if not problems:
            # It talks to the stub while boards.boot() reads the console.
            with ThreadPoolExecutor(1) as pool:
                found = pool.submit(profile_at, tmp / "gdb", opts.timeout, image, wants,
                                    tmp / "exec.log", show)
                booted(replay=("replay", tmp / "run"), extra=[
                    "-S", "-gdb", f"unix:{tmp}/gdb,server=on,wait=off"])
            if err := found.exception():
                problems = [f"{type(err).__name__}: {err}"]
    for problem in problems:
        print(f"PROBLEM {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    cli.run(main)
