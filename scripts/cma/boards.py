# SPDX-License-Identifier: GPL-2.0
"""The boards, and how to boot a kernel on one.

Owns the table of boards and everything QEMU is told. boot() is the one way
in: it runs shell commands in the guest, hands each console line to a
callback while it appears, and returns the lines and the verdict on them.
Lines by which a guest asks its machine for something go to the monitor.
Emulation is always TCG: /dev/kvm can exist and still stall a guest.
"""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import devicetree
import monitor
import verdict

REPO = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD") or REPO / "build").resolve()


class Board:
    """machine: for -M. cpu: None for the machine's own. dtb: kbuild's name,
    None if QEMU makes it. dtb_remove: nodes to drop from a copy of it.
    end: how the guest ends itself, poweroff or reboot."""

    def __init__(self, machine, console, mem, smp, cpu=None, dtb=None,
                 dtb_remove=(), end="poweroff"):
        self.machine = machine
        self.console = console
        self.mem = mem
        self.smp = smp
        self.cpu = cpu
        self.dtb = dtb
        self.dtb_remove = dtb_remove
        self.end = end


BOARDS = {
    "virt": Board("virt,highmem=off", "ttyAMA0", "256M", 2, cpu="cortex-a15"),
    # mem= of the kernel's says which of it there is.
    "virt-highmem": Board("virt,highmem=on", "ttyAMA0", "4G", 2,
                          cpu="cortex-a15"),
    # sii902x takes port@1 of the transmitter, on this board a second input,
    # for its output; then PL111 waits for ever for what follows it.
    "vexpress-a9": Board(
        "vexpress-a9", "ttyAMA0", "1G", 4, dtb="arm/vexpress-v2p-ca9.dtb",
        dtb_remove=["/bus@40000000/motherboard-bus@40000000/iofpga@7,00000000/"
                    "i2c@16000/dvi-transmitter@39/ports/port@1"]),
}


class Result:
    """What came of a boot. ok is the verdict; problems say why not."""

    def __init__(self, lines, timed_out, status, elapsed_s, judged):
        self.lines = lines
        self.timed_out = timed_out
        self.elapsed_s = elapsed_s
        self.powered_off = judged.ended and not timed_out and status == 0
        self.splats = judged.splats
        self.ktap = judged.tests
        self.problems = list(judged.problems)
        if timed_out:
            self.problems.append(f"no end after {elapsed_s:.0f} s")
        elif status:
            self.problems.append(f"the emulator ended with status {status}")
        self.ok = not self.problems


def cpio(files):
    """A newc archive of (guest path, mode, content), in order."""
    out = bytearray()
    made = set()

    def entry(name, mode, data, ino):
        name = name.encode() + b"\0"
        fields = (ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        out.extend(b"070701" + b"".join(b"%08X" % f for f in fields) + name)
        out.extend(bytes(-len(out) % 4))
        out.extend(data)
        out.extend(bytes(-len(out) % 4))

    for ino, (name, mode, data) in enumerate(files, 1):
        parts = name.split("/")[:-1]
        for i in range(1, len(parts) + 1):
            folder = "/".join(parts[:i])
            if folder not in made:
                made.add(folder)
                entry(folder, 0o040755, b"", 0)
        entry(name, mode, data, ino)
    entry("TRAILER!!!", 0, b"", 0)
    out.extend(bytes(-len(out) % 512))
    return bytes(out)


def folder_files(folder, prefix):
    """The regular files of a host folder as cpio() takes them."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            mode = 0o100000 | (path.stat().st_mode & 0o777)
            yield f"{prefix}{path.relative_to(folder)}", mode, path.read_bytes()


def make_initrd(path, kernel_dir, commands, files):
    """User space, then the kernel's modules, the tests, and the commands:
    the kernel unpacks the archives of a concatenation one after another."""
    layers = list(folder_files(kernel_dir / "modules", ""))
    layers += folder_files(BUILD / "selftests", "selftests/")
    layers += [(name.lstrip("/"), 0o100755, data)
               for name, data in files.items()]
    if commands is not None:
        text = "".join(f"{c}\n" for c in commands)
        layers.append(("commands", 0o100644, text.encode()))
    base = (BUILD / "initramfs.cpio.gz").read_bytes()
    path.write_bytes(base + bytes(-len(base) % 512) + cpio(layers))


def emulated(board, mem, smp):
    """The options that decide what the board has."""
    cmd = ["qemu-system-arm", "-M", board.machine, "-m", mem or board.mem,
           "-smp", str(smp), "-accel", "tcg", "-display", "none",
           "-nic", "none"]
    return cmd + ["-cpu", board.cpu] if board.cpu else cmd


def make_dtb(board, kernel_dir, mem, smp, tmp):
    dtb = tmp / "board.dtb"
    if board.dtb:
        shutil.copy(kernel_dir / "arch/arm/boot/dts" / board.dtb, dtb)
    else:
        subprocess.run(emulated(board, mem, smp)
                       + ["-machine", f"dumpdtb={dtb}"],
                       check=True, capture_output=True)
    for node in board.dtb_remove:
        subprocess.run(["fdtput", "-r", dtb, node], check=True)
    return dtb


def qemu_command(board, kernel_dir, append, mem, smp, disk, icount, tmp,
                 replay=None, nodes="", overlays=()):
    """The whole command line; tmp holds the initrd already."""
    smp = 1 if icount else smp or board.smp
    args = (f"console={board.console} printk.time=1 printk.devkmsg=on "
            f"loglevel=8 panic=-1 guest_end={board.end} {append}")
    cmd = emulated(board, mem, smp) + [
        "-monitor", "none", "-serial", "stdio", "-no-reboot",
        "-kernel", str(kernel_dir / "arch/arm/boot/zImage"),
        "-initrd", str(tmp / "initrd"), "-append", args]
    if board.dtb or nodes or overlays:
        dtb = make_dtb(board, kernel_dir, mem, smp, tmp)
        devicetree.extend(dtb, nodes, overlays)
        cmd += ["-dtb", str(dtb)]
    if icount:
        # No idle time, time of day or random seed of the host's: two runs
        # are the same to the last digit.
        cmd += ["-icount", "shift=0,sleep=off",
                "-rtc", "base=2000-01-01,clock=vm"]
        if board.machine.startswith("virt"):
            cmd[cmd.index(board.machine)] += ",dtb-randomness=off"
    if replay:
        cmd += ["-icount", f"rr={replay[0]},rrfile={replay[1]}"]
    if disk:
        cmd += ["-drive", f"if=none,id=disk,format=raw,snapshot=on,file={disk}",
                "-device", "virtio-blk-device,drive=" +
                ("recorded" if replay else "disk")]
    if disk and replay:
        # Without sleep, recording hangs at the first request to the disk.
        cmd += ["-icount", "sleep=on", "-drive",
                "if=none,id=recorded,driver=blkreplay,image=disk"]
    return cmd


def boot(board, kernel_dir=None, append="", mem=None, disk=None,
         timeout_s=300, on_line=None, commands=(), files=None, smp=None,
         icount=False, log=None, want_tests=False, expect=(), replay=None,
         extra=(), ask_host=False, nodes="", overlays=()):
    """Boots, runs commands one after another, powers off, and judges.

    board: a name of BOARDS. kernel_dir: an object folder, by default
    $BUILD/obj-arm. disk: True for $BUILD/disk.ext4, or an image; the guest's
    writes to it are lost. on_line: called with each console line. commands:
    one shell line each. files: {guest path: bytes} to add. log: where to
    write the console. want_tests: a boot without any test has failed.
    expect: regular expressions of console lines that must come. replay:
    ("record", file), or ("replay", file) for that run once more; with icount.
    extra: more options for QEMU. ask_host: the guest has a balloon, and may
    ask for more or less of it, see monitor.py. nodes, overlays: what to add to
    the board's device tree, as devicetree.extend() takes it.
    """
    board = BOARDS[board]
    kernel_dir = Path(kernel_dir or BUILD / "obj-arm").resolve()
    if disk is True:
        disk = BUILD / "disk.ext4"
    if ask_host:
        append += " CMA_TEST_HOST=1"
    lines = []
    timed_out = threading.Event()
    with tempfile.TemporaryDirectory(prefix="cma-boot-") as tmp:
        tmp = Path(tmp)
        make_initrd(tmp / "initrd", kernel_dir, commands, files or {})
        cmd = qemu_command(board, kernel_dir, append, mem, smp, disk, icount,
                           tmp, replay, nodes, overlays) + list(extra)
        host = monitor.Monitor(tmp / "monitor")
        if ask_host:
            cmd += host.options()
        start = time.monotonic()
        proc = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, text=True,
                                errors="replace", stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT,
                                env=dict(os.environ, QEMU_AUDIO_DRV="none"))

        def give_up():
            timed_out.set()
            proc.kill()

        timer = threading.Timer(timeout_s, give_up)
        timer.start()
        out = open(log, "w") if log else open(os.devnull, "w")
        try:
            with out:
                for line in proc.stdout:
                    line = line.rstrip("\r\n")
                    lines.append(line)
                    print(line, file=out, flush=True)
                    if on_line:
                        on_line(line)
                    if ask_host:
                        host.on_line(line)
            proc.wait()
        finally:
            timer.cancel()
            host.close()
            proc.kill()
            proc.wait()
        elapsed_s = time.monotonic() - start
    judged = verdict.judge(lines, want_tests, expect)
    return Result(lines, timed_out.is_set(), proc.returncode, elapsed_s,
                  judged)


def shell(board, kernel_dir=None, append="", mem=None, disk=None):
    """An interactive guest on this terminal; Ctrl-A X ends it."""
    board = BOARDS[board]
    kernel_dir = Path(kernel_dir or BUILD / "obj-arm").resolve()
    if disk is True:
        disk = BUILD / "disk.ext4"
    with tempfile.TemporaryDirectory(prefix="cma-boot-") as tmp:
        tmp = Path(tmp)
        make_initrd(tmp / "initrd", kernel_dir, None, {})
        cmd = qemu_command(board, kernel_dir, f"guest_shell=1 {append}", mem,
                           None, disk, False, tmp)
        at = cmd.index("-monitor")
        cmd[at:at + 4] = ["-serial", "mon:stdio"]
        return subprocess.run(cmd).returncode
