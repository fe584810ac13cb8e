# SPDX-License-Identifier: GPL-2.0
"""The boards, and how to boot a kernel on one.

Owns the table of boards and everything QEMU is told. boot() is the one way
in: it runs shell commands in the guest, hands each console line to a
callback while it appears, and returns the lines and the verdict on them.
Lines by which a guest asks its machine for something go to the monitor.
Emulation is always TCG: /dev/kvm can exist and still stall a guest.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import children, devicetree, monitor, verdict
from trees.bases import BUILD, TOP

# Tests take less time: those in user space, and those of KUnit that wait.
QUICK = "CMA_TEST_QUICK=1 kunit.filter=speed>very_slow"


SWAP_SIZE = 1 << 30
HIBERNATED = re.compile(r"PM: hibernation: Creating image:$")


@dataclass(frozen=True)
class Arch:
    """What runs a kernel and what the kernel runs. emulator: the program.
    image: in the object folder. userland: Debian's name of the architecture
    that the guest's programs are for."""
    emulator: str
    image: str
    userland: str


ARCHS = {
    "arm": Arch("qemu-system-arm", "arch/arm/boot/zImage", "armhf"),
    "armv5": Arch("qemu-system-arm", "arch/arm/boot/zImage", "armel"),
    # Its kernel runs 32 bit programs.
    "arm64": Arch("qemu-system-aarch64", "arch/arm64/boot/Image", "armhf"),
    "x86_64": Arch("qemu-system-x86_64", "arch/x86/boot/bzImage", "amd64"),
}


@dataclass(frozen=True)
class Board:
    """machine: for -M. serial: which of its ports the console is. cpu: None
    for the machine's own. dtb: kbuild's name, None if QEMU makes it or there
    is none. dtb_remove: nodes to drop from a copy of it. dtb_set: numbers to
    put into it, as (node, property, value). end: how the guest ends itself,
    poweroff or reboot. kernel: of kbuild.py, the one it boots with unless
    told. net: how its network is had, None if it has none that works. disk: the
    same of a disk, or a card. holders: devices that hold buffers of the area
    once it is up, network aside. copies: its DMA controller reads what it has
    to do from the area. iommu: the device tree's reference to one of its
    IOMMUs. append: kernel parameters that it always needs. says: what it
    complains of on any kernel, as regular expressions; may_say: on a busy
    host."""
    machine: str
    console: str
    mem: str
    smp: int
    cpu: str | None = None
    dtb: str | None = None
    dtb_remove: Sequence[str] = ()
    dtb_set: Sequence[tuple[str, str, int]] = ()
    end: str = "poweroff"
    serial: int = 0
    kernel: str = "arm"
    arch: Arch = ARCHS["arm"]
    net: Sequence[str] | None = None
    disk: tuple[str, list[str]] | None = None
    holders: Sequence[str] = ()
    copies: bool = False
    iommu: str | None = None
    append: str = ""
    says: Sequence[str] = ()
    may_say: Sequence[str] = ()


# The network of QEMU's own, behind a controller of the board's, or one on PCI
# that does DMA by addresses that it gets from the DMA API.
ON_BOARD = ["-nic", "user,{options}"]
BOTH_ON_BOARD = ON_BOARD * 2
VIRTIO_PCI = ["-netdev", "user,id=net,{options}", "-device",
              "virtio-net-pci,netdev=net,disable-legacy=on,iommu_platform=on"]
VIRTIO_MMIO = ["-global", "virtio-mmio.force-legacy=false",
               "-netdev", "user,id=net,{options}", "-device",
               "virtio-net-device,netdev=net,iommu_platform=on"]
ON_USB = ["-netdev", "user,id=net,{options}", "-device", "usb-net,netdev=net"]

# A disk: its name in Linux, and the options of QEMU.
ON_VIRTIO = "vda", ["-drive", "if=none,id=disk,{image}",
                    "-device", "virtio-blk-device,drive={drive}"]
ON_PCI = "vda", ["-drive", "if=none,id=disk,{image}",
                 "-device", "virtio-blk-pci,drive={drive}"]
CARD = "mmcblk0", ["-drive", "if=sd,{image}"]
THIRD_CARD = "mmcblk0", ["-drive", "if=sd,index=2,{image}"]

BOARDS = {
    "virt": Board("virt,highmem=off", "ttyAMA0", "256M", 2, cpu="cortex-a15",
                  net=VIRTIO_PCI, disk=ON_VIRTIO,
                  # On Linux 7.3 with CONFIG_DMA_API_DEBUG: vivid does not say how
                  # long a segment it takes. With CONFIG_PROVE_LOCKING: ext4 reads
                  # the size of a file when a direct write ends, in a softirq.
                  may_say=["WARNING: .* debug_dma_map_sg.*: cma_share/",
                           "lock state: &inode->i_size_seqcount at iomap_dio_complete$"]),
    # mem= of the kernel's says which of it there is.
    "virt-highmem": Board("virt,highmem=on", "ttyAMA0", "4G", 2,
                          cpu="cortex-a15", kernel="arm-lpae",
                          disk=ON_VIRTIO),
    # sii902x takes port@1 of the transmitter, on this board a second input,
    # for its output; then PL111 waits for ever for what follows it.
    "vexpress-a9": Board(
        "vexpress-a9", "ttyAMA0", "1G", 2, dtb="arm/vexpress-v2p-ca9.dtb",
        disk=ON_VIRTIO,
        dtb_remove=["/bus@40000000/motherboard-bus@40000000/iofpga@7,00000000/"
                    "i2c@16000/dvi-transmitter@39/ports/port@1"],
        holders=["10020000.clcd"],
        # For 100 ms there was no frame: the host had something else to do.
        may_say=["WARNING: .* drm_atomic_helper_wait_for_vblanks"]),
    "vexpress-a15": Board(
        "vexpress-a15", "ttyAMA0", "1G", 2, kernel="arm-boards",
        dtb="arm/vexpress-v2p-ca15-tc1.dtb", net=VIRTIO_MMIO,
        disk=ON_VIRTIO),
    "smdkc210": Board(
        "smdkc210", "ttySAC0", "1G", 2, kernel="arm-boards",
        dtb="samsung/exynos4210-smdkv310.dtb", disk=THIRD_CARD,
        holders=["12680000.dma-controller", "12690000.dma-controller",
                 "12850000.dma-controller", "12530000.mmc"], copies=True,
        iommu="&{/soc/sysmmu@12a30000}",
        # On Linux 7.3: its IOMMUs come up one by one, after the devices.
        may_say=["WARNING: .* __iommu_probe_device"]),
    "sabrelite": Board(
        "sabrelite", "ttymxc1", "1G", 2, kernel="arm-boards", serial=1,
        dtb="nxp/imx/imx6q-sabrelite.dtb", end="reboot", net=ON_BOARD,
        holders=["2198000.mmc", "219c000.mmc"]),
    "mcimx6ul-evk": Board(
        "mcimx6ul-evk", "ttymxc0", "512M", 1, kernel="arm-boards",
        dtb="nxp/imx/imx6ul-14x14-evk.dtb", end="reboot",
        net=BOTH_ON_BOARD, disk=CARD, holders=["2190000.mmc", "2194000.mmc"]),
    "mcimx7d-sabre": Board(
        "mcimx7d-sabre", "ttymxc0", "1G", 2, kernel="arm-boards",
        dtb="nxp/imx/imx7d-sdb.dtb", end="reboot",
        net=BOTH_ON_BOARD, disk=CARD,
        holders=["30b40000.mmc", "30b50000.mmc", "30b60000.mmc"]),
    "raspi2b": Board(
        "raspi2b", "ttyAMA0", "1G", 4, kernel="arm-boards",
        dtb="broadcom/bcm2836-rpi-2-b.dtb", net=ON_USB, disk=CARD,
        holders=["3f980000.usb"], append="NET_TEST=pings",
        # The watchdog takes a moment to switch the board off.
        may_say=["WARNING: .* do_exit"]),
    "orangepi-pc": Board(
        "orangepi-pc", "ttyS0", "1G", 4, kernel="arm-boards",
        dtb="allwinner/sun8i-h3-orangepi-pc.dtb", net=ON_BOARD, disk=CARD,
        holders=["1c0f000.mmc"]),
    # The emulated processors count from 0, the real ones from 0x900.
    "highbank": Board(
        "highbank", "ttyAMA0", "512M", 4, kernel="arm-boards",
        dtb="calxeda/highbank.dtb", net=BOTH_ON_BOARD,
        append="NET_TEST=pings",
        says=["WARNING: .* highbank_l2c310_write_sec"],
        dtb_set=[(f"/cpus/cpu@90{i}", "reg", i) for i in range(4)]),
    "xilinx-zynq-a9": Board(
        "xilinx-zynq-a9", "ttyPS0", "512M", 1, kernel="arm-boards", serial=1,
        dtb="xilinx/zynq-zc702.dtb", end="reboot", net=BOTH_ON_BOARD, disk=CARD,
        holders=["f8003000.dma-controller", "e0100000.mmc"], copies=True),
    "versatilepb": Board(
        "versatilepb", "ttyAMA0", "256M", 1, kernel="armv5", arch=ARCHS["armv5"],
        dtb="arm/versatile-pb.dtb", end="reboot", disk=ON_PCI,
        holders=["10120000.display"]),
    "arm64-virt": Board(
        "virt", "ttyAMA0", "1G", 2, cpu="cortex-a53", kernel="arm64",
        arch=ARCHS["arm64"]),
    "x86_64": Board(
        "q35", "ttyS0", "1G", 2, kernel="x86_64", arch=ARCHS["x86_64"],
        # The timer had no time to tick while the kernel looked for it.
        may_say=["MP-BIOS bug: 8254 timer not connected to IO-APIC"]),
}


@dataclass
class Result:
    """What came of a boot. ok is the verdict; problems say why not. screens:
    pictures of the display that the guest asked for, as monitor.py has them."""
    lines: list[str]
    elapsed_s: float
    ktap: list[verdict.Test]
    problems: list[str]
    screens: list[bytes]

    @property
    def ok(self) -> bool:
        return not self.problems


def make_initrd(path: Path, kernel_dir: Path, userland: str,
                commands: Sequence[str] | None, files: dict[str, bytes]) -> None:
    """User space, then the kernel's modules, the tests, and the commands:
    the kernel unpacks the archives of a concatenation one after another."""
    found = {}			# guest path: the host's
    for folder, prefix in ((kernel_dir / "modules", ""),
                           (BUILD / f"selftests-{userland}", "selftests/")):
        found.update({f"{prefix}{file.relative_to(folder)}": file
                      for file in sorted(folder.rglob("*"))
                      if file.is_file() and not file.is_symlink()})
    if commands is not None:
        files = files | {"commands": "".join(f"{c}\n" for c in commands).encode()}
    for i, (name, data) in enumerate(files.items()):
        file = found[name.lstrip("/")] = path.with_suffix(f".{i}")
        file.write_bytes(data)
        file.chmod(0o755)
    folders = {str(folder) for name in found for folder in Path(name).parents}
    spec = [f"dir {folder} 755 0 0" for folder in sorted(folders - {"."})]
    spec += [f"file {name} {file} {file.stat().st_mode & 0o777:o} 0 0"
             for name, file in found.items()]
    base = (TOP / f"initramfs-{userland}.cpio.gz").read_bytes()
    # One time for all: with -icount two runs are the same to the last digit.
    made = subprocess.run([kernel_dir / "usr/gen_init_cpio", "-t", "0", "-"], check=True,
                          input="\n".join(spec).encode(), stdout=subprocess.PIPE)
    path.write_bytes(base + bytes(-len(base) % 512) + made.stdout)


@dataclass
class Setup:
    """What a boot has, beside the board's own. append: kernel parameters. disk:
    True for $BUILD/disk.ext4, or an image; the guest's writes to it are lost.
    icount: one processor, one instruction a nanosecond. replay: ("record", file),
    or ("replay", file) for that run once more; with icount. nodes, overlays: what
    to add to the board's device tree, as devicetree.extend() takes it. net:
    options of QEMU's user network, if the board is to be on it. extra: more
    options for QEMU."""
    board: Board
    kernel_dir: Path
    append: str = ""
    mem: str | None = None
    smp: int | str | None = None
    disk: str | Path | bool | None = None
    icount: bool = False
    replay: tuple[str, Path] | None = None
    nodes: str = ""
    overlays: Sequence[str] = ()
    net: str | None = None
    extra: Sequence[str] = ()

    def emulated(self) -> list[str]:
        """The options that decide what the board has."""
        board = self.board
        cmd = [board.arch.emulator, "-M", board.machine, "-m", self.mem or board.mem,
               "-smp", str(1 if self.icount else self.smp or board.smp),
               "-accel", "tcg", "-display", "none"]
        cmd += ["-cpu", board.cpu] if board.cpu else []
        return [*cmd, *self.extra]

    def make_dtb(self, tmp: Path) -> Path:
        dtb = tmp / "board.dtb"
        if self.board.dtb:
            shutil.copy(self.kernel_dir / "arch/arm/boot/dts" / self.board.dtb, dtb)
        else:
            subprocess.run([*self.emulated(), "-nic", "none", "-machine", f"dumpdtb={dtb}"],
                           check=True, capture_output=True)
        for node in self.board.dtb_remove:
            subprocess.run(["fdtput", "-r", dtb, node], check=True)
        for node, name, value in self.board.dtb_set:
            subprocess.run(["fdtput", "-t", "u", dtb, node, name, str(value)], check=True)
        devicetree.extend(dtb, self.nodes, self.overlays)
        return dtb

    def command(self, tmp: Path) -> list[str]:
        """The whole command line; tmp holds the initrd already."""
        board = self.board
        args = (f"console={board.console} printk.time=1 printk.devkmsg=on "
                f"loglevel=8 panic=-1 guest_end={board.end} {board.append} {self.append}")
        cmd = self.emulated()
        cmd += [o.format(options=self.net) for o in board.net] if self.net else ["-nic", "none"]
        cmd += ["-serial", "null"] * board.serial + [
            "-monitor", "none", "-serial", "stdio", "-no-reboot",
            "-kernel", str(self.kernel_dir / board.arch.image),
            "-initrd", str(tmp / "initrd")]
        if board.dtb or self.nodes or self.overlays:
            cmd += ["-dtb", str(self.make_dtb(tmp))]
        if self.icount:
            # No idle time, time of day or random seed of the host's: two runs
            # are the same to the last digit.
            cmd += ["-icount", "shift=0,sleep=off", "-rtc", "base=2000-01-01,clock=vm"]
            if board.machine.startswith("virt"):
                cmd[cmd.index(board.machine)] += ",dtb-randomness=off"
        if self.replay:
            cmd += ["-icount", "rr={},rrfile={}".format(*self.replay)]
        if self.disk:
            name, options = board.disk
            args += f" guest_disk={name}"
            image = TOP / "disk.ext4" if self.disk is True else self.disk
            cmd += [o.format(image=f"format=raw,snapshot=on,file={image}",
                             drive="recorded" if self.replay else "disk") for o in options]
        if self.disk and self.replay:
            # Without sleep, recording hangs at the first request to the disk.
            cmd += ["-icount", "sleep=on", "-drive",
                    "if=none,id=recorded,driver=blkreplay,image=disk"]
        return [*cmd, "-append", args]


def prepared(name: str, kernel_dir: str | Path | None, **setup: Any) -> Setup:
    """Of one of BOARDS, with its own kernel unless told."""
    folder = Path(kernel_dir or BUILD / f"obj-{BOARDS[name].kernel}").resolve()
    return Setup(BOARDS[name], folder, **setup)


def run_emulator(cmd: list[str], said: Path, on_line: Callable[[str], object],
                 timed_out: threading.Event, timeout_s: float,
                 quiet_s: float | None = None) -> tuple[int, list[str]]:
    """Its status, and lines of its own, which are kept in a file meanwhile. Each
    line of the console is handed on. timed_out: set if it took too long, or said
    nothing for quiet_s."""
    end = time.monotonic() + timeout_s
    with open(said, "w+", errors="replace") as emulator, \
            children.running(cmd, signal.SIGKILL, **children.OUTPUT | {
                "stderr": emulator, "env": os.environ | {"QEMU_AUDIO_DRV": "none"}}) as proc:

        def give_up() -> None:
            timed_out.set()
            proc.kill()

        def new_timer() -> threading.Timer:
            rest_s = max(0, end - time.monotonic())
            timer = threading.Timer(min(rest_s, quiet_s or rest_s), give_up)
            timer.start()
            return timer

        timer = new_timer()
        try:
            for line in proc.stdout:
                on_line(line.rstrip("\r\n"))
                if quiet_s:
                    timer.cancel()
                    timer = new_timer()
            proc.wait()
        finally:
            timer.cancel()
        emulator.seek(0)
        return proc.returncode, emulator.read().splitlines()


def boot(name: str, kernel_dir: str | Path | None = None, *, timeout_s: float = 300,
         on_line: Callable[[str], object] | None = None, commands: Sequence[str] = (),
         files: dict[str, bytes] | None = None, log: str | Path | None = None,
         want_tests: bool = False, expect: Sequence[str] = (), may_say: Sequence[str] = (),
         ask_host: bool = False, swap: str | None = None, quiet_s: float | None = None,
         **options: Any) -> Result:
    """Boots, runs commands one after another, powers off, and judges.

    name: one of BOARDS. kernel_dir: an object folder, by default that of
    the board's kernel. on_line: called with each console line. commands: one
    shell line each. files: {guest path: bytes} to add. log: where to write the
    console. want_tests: a boot without any test has failed. expect: regular
    expressions of console lines that must come. may_say: splats that are no
    business of this boot, as regular expressions. ask_host: the guest has a
    balloon, and may ask for more or less of it, see monitor.py. swap: the name
    that the guest has for one more disk, on which it hibernates: it is booted
    once more then, and what both boots say is one log. quiet_s: a guest that says
    nothing for so long has come to no end. options: of Setup.
    """
    setup = prepared(name, kernel_dir, **options)
    board = setup.board
    if ask_host:
        setup.append += " CMA_TEST_HOST=1"
    if swap:
        setup.append += f" resume=/dev/{swap}"
    lines: list[str] = []
    timed_out = threading.Event()
    with tempfile.TemporaryDirectory(prefix="cma-boot-") as folder:
        tmp = Path(folder)
        make_initrd(tmp / "initrd", setup.kernel_dir, board.arch.userland, commands,
                    files or {})
        cmd = setup.command(tmp)
        host = monitor.Monitor(tmp / "monitor")
        if ask_host:
            cmd += host.options()
        if swap:
            with open(tmp / "swap", "wb") as image:
                image.truncate(SWAP_SIZE)
            cmd += ["-drive", f"if=none,id=swap,format=raw,file={tmp}/swap",
                    "-device", "virtio-blk-device,drive=swap"]
        start = time.monotonic()
        with contextlib.closing(host), open(log or os.devnull, "w") as out:

            def on_each(line: str) -> None:
                lines.append(line)
                print(line, file=out, flush=True)
                if on_line:
                    on_line(line)
                if ask_host:
                    host.on_line(line)

            def run() -> tuple[int, list[str]]:
                return run_emulator(cmd, tmp / "emulator", on_each, timed_out,
                                    start + timeout_s - time.monotonic(), quiet_s)

            status, complaints = run()
            # With the command line that it had: the restored kernel has its
            # page tables where the one that restores it has them.
            if swap and status == 0 and any(map(HIBERNATED.search, lines)):
                status, complaints = run()
            print(*complaints, sep="\n", file=out)
        elapsed_s = time.monotonic() - start
    judged = verdict.judge(lines, want_tests, [*expect, *board.says],
                           [*board.may_say, *may_say])
    problems = judged.problems
    if timed_out.is_set():
        problems.append(f"no end after {elapsed_s:.0f} s")
    elif status:
        # Its own lines are no business of the kernel's otherwise: it warns of a
        # network card that nothing is connected to, for example.
        problems.append("\n  ".join([f"the emulator ended with status {status}", *complaints]))
    return Result(lines, elapsed_s, judged.tests, problems, host.screens)


def shell(name: str, kernel_dir: str | Path | None = None, append: str = "",
          **options: Any) -> int:
    """An interactive guest on this terminal; Ctrl-A X ends it."""
    setup = prepared(name, kernel_dir, append=f"guest_shell=1 {append}", **options)
    with tempfile.TemporaryDirectory(prefix="cma-boot-") as folder:
        tmp = Path(folder)
        make_initrd(tmp / "initrd", setup.kernel_dir, setup.board.arch.userland, None, {})
        cmd = setup.command(tmp)
        at = cmd.index("-monitor")
        cmd[at:at + 4] = ["-serial", "mon:stdio"]
        return children.run(cmd, signal.SIGKILL).returncode
