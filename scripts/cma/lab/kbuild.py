# SPDX-License-Identifier: GPL-2.0
"""Configures and builds the kernels of this project.

Owns the table of kernels: which tree, architecture and configuration
fragments each is made of. A kernel NAME is built in BUILD/obj-NAME, see
trees/bases.py. Every line of a fragment must hold in the final .config, or
the build stops and names the line.
"""

import functools
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from lab import children, lock
from trees import bases, git, overlay

P = ParamSpec("P")
R = TypeVar("R")

REPO, TOP, BUILD = bases.REPO, bases.TOP, bases.BUILD
MAKE_TREE = f"'make tree{bases.option(bases.BASE)}'"

# The same file at another place is the same to ccache.
os.environ["CCACHE_BASEDIR"] = str(BUILD)
os.environ["CCACHE_NOHASHDIR"] = "1"

CROSS = {"arm": "arm-linux-gnueabihf-", "arm64": "aarch64-linux-gnu-",
         "x86_64": "", "um": ""}
IMAGE = {"arm": "zImage", "arm64": "Image", "x86_64": "bzImage",
         "um": "linux"}
PROGRESS_S = 5

VEXPRESS = ("arm/vexpress-v2p-ca9.dtb",)
BOARDS_V7 = VEXPRESS + (
    "arm/vexpress-v2p-ca15-tc1.dtb", "samsung/exynos4210-smdkv310.dtb",
    "nxp/imx/imx6q-sabrelite.dtb", "nxp/imx/imx6ul-14x14-evk.dtb",
    "nxp/imx/imx7d-sdb.dtb", "broadcom/bcm2836-rpi-2-b.dtb",
    "allwinner/sun8i-h3-orangepi-pc.dtb", "calxeda/highbank.dtb",
    "xilinx/zynq-zc702.dtb")

GENERIC = "kernel/configs/cma_{}.config"
GUEST = [GENERIC.format("guest"), "arch/arm/configs/cma_boards.config"]
CLIENTS = [GENERIC.format("clients"), "arch/arm/configs/cma_display.config"]
LPAE = ["arch/arm/configs/cma_lpae.config"]
ARMV5 = ["arch/arm/configs/cma_armv5.config"]
SOCS = ["arch/arm/configs/cma_socs.config"]
CMA = ["kernel/configs/cma.config"]
TEST = [GENERIC.format("test")]
SAMPLE = ["arch/arm/configs/cma_sample.config"]
DEBUG = [GENERIC.format("debug")]
FAULT = [GENERIC.format("fault")]
COMPARE = [GENERIC.format("compare")]
WIDE = {arch: [GENERIC.format("64bit"), GENERIC.format(arch)] for arch in ("arm64", "x86_64")}
NONE = [GENERIC.format("none")]
BLOCKS = [GENERIC.format("blocks")]
HIBERNATE = [GENERIC.format("hibernate")]
RT = [GENERIC.format("expert"), GENERIC.format("rt")]
KCSAN = [GENERIC.format("expert"), GENERIC.format("kcsan")]
KERNEL_TESTS = [GENERIC.format("kernel_tests")]
HOT = [GENERIC.format("hot")]
FILES = [GENERIC.format("filesystems")]
CONSUMERS = [GENERIC.format("consumers")] + CMA + [GENERIC.format("callers")]


# Kernels whose headers programs are built with: Debian's name of what they run
# on, and the compiler if it is not the kernel's.
PROGRAMS: dict[str, tuple[str, list[str]]] = {"arm": ("armhf", []),
            "armv5": ("armel", ["CROSS_COMPILE=arm-linux-gnueabi-",
                                "CC=arm-linux-gnueabi-gcc"]),
            "x86_64": ("amd64", [])}


# KUnit's tests run at boot; a kernel from allnoconfig has to be told so.
AUTORUN = "" if bases.VERSION else "kunit.autorun=1 "


BuildError = git.Error		# a message for the user; no traceback


@dataclass
class Kernel:
    """One row: the tree it is built from and what it is configured with.
    drivers: source files of our tree's that this tree lacks; each is built
    as a module from the outside and installed where ours has it. dtbs:
    device trees, as kbuild names them; of ARM's kernels alone."""
    arch: str
    tree: str
    fragments: list[str]
    base: str = "alldefconfig"
    drivers: Sequence[str] = ()
    dtbs: Sequence[str] = VEXPRESS


def booting(arch: str, tree: str, fragments: list[str]) -> Kernel:
    """One with 64 bits, and with what it needs to come up."""
    ends = [GENERIC.format("64bit_guest"), GENERIC.format(f"{arch}_guest")]
    return Kernel(arch, tree, WIDE[arch] + fragments + ends, "allnoconfig")


KERNELS = {
    "arm": Kernel("arm", "cma", GUEST + CLIENTS + CMA + TEST + SAMPLE),
    # Mainline's own allocator, with the same client: what ours is measured
    # beside.
    "base-arm": Kernel("arm", "base", GUEST + CLIENTS + CMA + TEST,
                       drivers=["mm/cma/tests/dma_test.c"]),
    # The page allocator is measured with ours, with ours switched off, and with
    # mainline's.
    "hot": Kernel("arm", "cma", GUEST + CMA + HOT),
    "hot-none": Kernel("arm", "cma", GUEST + HOT),
    "hot-base": Kernel("arm", "base", GUEST + CMA + HOT),
    "base-boards": Kernel("arm", "base", GUEST + CLIENTS + SOCS + CMA + TEST,
                          drivers=["mm/cma/tests/dma_test.c"]),
    # Memory above 4 GiB, huge pages.
    "arm-lpae": Kernel("arm", "cma", GUEST + CLIENTS + LPAE + CMA + TEST),
    # One image for all the ARMv7 boards.
    "arm-boards": Kernel("arm", "cma", GUEST + CLIENTS + SOCS + CMA + TEST,
                         dtbs=BOARDS_V7),
    "armv5": Kernel("arm", "cma", GUEST[:1] + ARMV5 + CMA + TEST,
                    dtbs=("arm/versatile-pb.dtb",)),
    "arm-debug": Kernel("arm", "cma", GUEST + CLIENTS + CMA + TEST + DEBUG + FAULT),
    "arm-files": Kernel("arm", "cma", GUEST + CLIENTS + CMA + TEST + DEBUG + FILES),
    "arm64": booting("arm64", "cma", CONSUMERS + TEST),
    "x86_64": booting("x86_64", "cma", CONSUMERS + TEST),
    "arm-hibernate": Kernel("arm", "cma", GUEST + CLIENTS + CMA + TEST + HIBERNATE),
    # Small pageblocks, which Linux 6.12 does not have.
    "blocks-x86_64": booting("x86_64", "cma", BLOCKS + CMA + TEST),
    # Spinlocks that sleep, with lockdep; data races.
    "rt-arm64": booting("arm64", "cma", CONSUMERS + TEST + RT),
    "rt-x86_64": booting("x86_64", "cma", CONSUMERS + TEST + RT),
    "kcsan-x86_64": booting("x86_64", "cma", CONSUMERS + TEST + KCSAN),
    # The kernel's own tests run on these two, ours and mainline's.
    "tests-x86_64": booting("x86_64", "cma", KERNEL_TESTS + CMA + TEST),
    "base-tests-x86_64": booting("x86_64", "base", KERNEL_TESTS + CMA + TEST),
    # A kernel that is a program.
    "kasan": Kernel("um", "cma", [GENERIC.format("kasan")], "allnoconfig"),
    # The same without an allocator.
    "bare-arm64": Kernel("arm64", "bare", WIDE["arm64"], "allnoconfig"),
    "bare-x86_64": Kernel("x86_64", "bare", WIDE["x86_64"], "allnoconfig"),
    # Ours switched off, with all who take ranges of pages without an area.
    "nocma-arm64": booting("arm64", "cma", NONE),
    "nocma-x86_64": booting("x86_64", "cma", NONE),
    # Two that have to be identical: no allocator, and ours switched off.
    "bare-arm": Kernel("arm", "bare", GUEST + COMPARE),
    "nocma-arm": Kernel("arm", "cma", GUEST + COMPARE),
    # Parts of it, after each patch of the series.
    "step-arm": Kernel("arm", "cma", GUEST + CLIENTS + CMA + TEST + SAMPLE),
    # Ours alone is compiled here, with all warnings and by sparse.
    "lint-arm": Kernel("arm", "cma",
                       GUEST + CLIENTS + CMA + TEST + SAMPLE + DEBUG + FAULT),
    "lint-x86_64": Kernel("x86_64", "cma", WIDE["x86_64"] + CONSUMERS + TEST,
                          "allnoconfig"),
}
# Symbols of our own tree; trees without mm/cma/ do not know them.
OURS_ONLY = TEST + FAULT + SAMPLE


def build_lock(work: Callable[P, R]) -> Callable[P, R]:
    """What no other run may do at the same time."""
    @functools.wraps(work)
    def locked(*args: P.args, **kw: P.kwargs) -> R:
        with lock.held(TOP):
            return work(*args, **kw)
    return locked


def run(cmd: Sequence[str | Path], **kw: Any) -> str:
    """Runs a command that must not fail; returns its output, if that is asked for."""
    done = children.run(cmd, text=True, **kw)
    if done.returncode:
        raise BuildError(f"failed: {' '.join(done.args)}")
    return done.stdout


def run_quietly(what: str, cmd: Sequence[str | Path], **kw: Any) -> None:
    """Runs a command whose output is shown only if it fails, behind @what."""
    done = children.capture(cmd, **kw)
    if done.returncode:
        raise BuildError(f"{what}{done.stdout}")


def nm(name: str, *paths: str) -> str:
    """What nm says of objects in a kernel's folder, vmlinux unless told."""
    return run([CROSS[KERNELS[name].arch] + "nm",
                *(obj(name) / path for path in paths or ["vmlinux"])],
               stdout=subprocess.PIPE)


def worktree(tag: str, name: str | None = None) -> Path:
    """A worktree of a tag beside the main tree, linux-NAME; follows the tag."""
    main, beside = git.Repo(BUILD / "linux"), BUILD / f"linux-{name or tag}"
    want = main.tag(tag)
    if not want:
        raise BuildError(f"{main.path} has no tag {tag}: run {MAKE_TREE}")
    have = (beside / ".git").exists() and git.Repo(beside).resolve("HEAD")
    if not have:
        # There is none yet, or its repository went when another source came.
        shutil.rmtree(beside, ignore_errors=True)
        main.run("worktree", "prune")
        main.run("worktree", "add", "-q", "--detach", str(beside), want)
    elif have != want:
        git.Repo(beside).run("checkout", "-q", "-f", "--detach", want)
    return beside


def our_tree() -> Path:
    path = BUILD / "linux"
    if not (path / "Makefile").exists():
        raise BuildError(f"no kernel tree at {path}: run {MAKE_TREE} first")
    return path


def tree(name: str) -> Path:
    ours = our_tree()
    tag = KERNELS[name].tree
    return ours if tag == "cma" else worktree(tag)


def obj(name: str) -> Path:
    return BUILD / f"obj-{name}"


def image(name: str) -> bytes:
    """The image of a kernel that was built, as the emulator takes it."""
    arch = KERNELS[name].arch
    folder = obj(name) / "arch" / ("x86" if arch == "x86_64" else arch) / "boot"
    return (folder / IMAGE[arch]).read_bytes()


def fragments(name: str, src: Path) -> list[str]:
    """Those that are right for the tree, as names of the repository."""
    ours = (src / "mm/cma").is_dir()
    return [version_of(f) for f in KERNELS[name].fragments
            if ours or f not in OURS_ONLY]


def version_of(fragment: str) -> str:
    """What stands for a fragment with an older kernel."""
    name = overlay.folder_of(bases.VERSION) + fragment
    return name if bases.VERSION and (REPO / name).exists() else fragment


def make_command(name: str, src: Path) -> list[str]:
    """make with everything that must not vary from build to build."""
    arch = KERNELS[name].arch
    gcc = CROSS[arch] + "gcc"
    cc = f"ccache {gcc}" if shutil.which("ccache") else gcc
    command = ["nice", "make", "-C", str(src), f"O={obj(name)}",
               f"ARCH={arch}", f"CROSS_COMPILE={CROSS[arch]}", f"CC={cc}",
               "LOCALVERSION=", "KBUILD_BUILD_TIMESTAMP=2000-01-01",
               "KBUILD_BUILD_USER=cma", "KBUILD_BUILD_HOST=cma",
               "KBUILD_BUILD_VERSION=1"]
    if COMPARE[0] in KERNELS[name].fragments:
        # ccache makes source paths relative, where kbuild strips absolute
        # ones from __FILE__: the name of the tree must not be in the image.
        command.append(f"KCPPFLAGS=-fmacro-prefix-map=../{src.name}/= "
                       f"-include {REPO}/scripts/cma/no_lines.h")
    return command


def wanted_lines(paths: Iterable[Path]) -> dict[str, str]:
    """The settings of the fragments; a later fragment overrides."""
    want = {}
    for path in paths:
        for line in path.read_text().splitlines():
            m = re.match(r"(?:# )?(CONFIG_\w+)(?:=| is not set$)", line)
            if m:
                want[m[1]] = line
            elif line.strip() and not line.startswith("#"):
                raise BuildError(f"{path}: not a setting: {line}")
    return want


def settings(config_text: str) -> dict[str, str]:
    """What a .config sets: {CONFIG_name: value}."""
    return dict(re.findall(r"^(CONFIG_\w+)=(.*)$", config_text, re.M))


def missing_lines(want: dict[str, str], config_text: str) -> list[str]:
    """Settings of the fragments that the final .config does not have."""
    have = settings(config_text)
    return [line for sym, line in want.items() if line != (
        f"{sym}={have[sym]}" if sym in have else f"# {sym} is not set")]


@build_lock
def configure(name: str, src: Path | None = None, whole: bool = True) -> Path:
    """src: the tree if not its own. whole: every line has to take effect."""
    src = src or tree(name)
    out = obj(name)
    out.mkdir(parents=True, exist_ok=True)
    want = wanted_lines([REPO / f for f in fragments(name, src)])
    allconfig = out / "cma-fragments.config"
    allconfig.write_text("\n".join(want.values()) + "\n")
    # kbuild keeps .config's time if nothing changed, so this is harmless.
    run_quietly(f"{name}: configuration failed:\n",
                make_command(name, src) + ["-s", KERNELS[name].base],
                env=dict(os.environ, KCONFIG_ALLCONFIG=str(allconfig)))
    missing = missing_lines(want, (out / ".config").read_text())
    if missing and whole:
        raise BuildError(f"{name}: these lines of the configuration fragments "
                         "did not take effect:\n  " + "\n  ".join(missing))
    return src


@build_lock
def make(name: str, args: list[str], src: Path, log: str | Path) -> tuple[list[str], int, float]:
    """Runs make; prints a line every few seconds; returns its output."""
    start = shown = time.monotonic()
    lines, nr_files, last = [], 0, ""
    cmd = make_command(name, src) + [f"-j{os.cpu_count()}"] + args
    with open(log, "w") as out, \
            children.running(cmd, **children.OUTPUT) as proc:
        for line in proc.stdout:
            out.write(line)
            lines.append(line.rstrip("\n"))
            m = re.match(r"  (?:CC|AS|LD|AR)\s+(?:\[M\]\s+)?(\S+)", line)
            if m:
                nr_files, last = nr_files + 1, m[1]
            now = time.monotonic()
            if nr_files and now - shown >= PROGRESS_S:
                shown = now
                print(f"  {name}: {nr_files} files after {now - start:.0f} s, "
                      f"{last}", flush=True)
    if proc.returncode:
        bad = [i for i, l in enumerate(lines)
               if re.search(r"\berror\b|\*\*\*|undefined reference", l)]
        tail = lines[max(0, bad[0] - 3):bad[0] + 20] if bad else lines[-20:]
        raise BuildError(f"{name}: build failed, whole log in {log}\n" + "\n".join(tail))
    return lines, nr_files, time.monotonic() - start


def build_outside(name: str, src: Path, source: Path) -> Path:
    """A module that is not in the tree of the kernel @name, from @source and the
    headers that are called like it. Returns the folder that has it."""
    out = obj(name) / "drivers" / source.stem
    out.mkdir(parents=True, exist_ok=True)
    (out / "Kbuild").write_text(f"obj-m := {source.stem}.o\n")
    for path in [source, *source.parent.glob(f"{source.stem}*.h")]:
        link = out / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path)
    make(name, [f"M={out}", "modules"], src, out / "build.log")
    return out


def build_driver(name: str, src: Path, driver: Path, mods: Path) -> None:
    """A module of our tree's for another tree."""
    out = build_outside(name, src, our_tree() / driver)
    run(make_command(name, src) + [
        "-s", f"M={out}", "modules_install", f"INSTALL_MOD_PATH={mods}",
        f"INSTALL_MOD_DIR=kernel/{driver.parent}"])


@build_lock
def build(name: str) -> None:
    src = configure(name)
    arch = KERNELS[name].arch
    targets = [IMAGE[arch], "modules", *(KERNELS[name].dtbs if arch == "arm" else ())]
    _, nr_files, elapsed_s = make(name, targets, src, obj(name) / "build.log")
    mods = obj(name) / "modules"
    if nr_files or not mods.exists():
        shutil.rmtree(mods, ignore_errors=True)
        run(make_command(name, src) + ["-s", "modules_install", f"INSTALL_MOD_PATH={mods}"])
    for driver in KERNELS[name].drivers:
        build_driver(name, src, Path(driver), mods)
    print(f"{name}: {nr_files} files built in {elapsed_s:.0f} s", flush=True)


@build_lock
def selftests(name: str = "arm") -> Path:
    """The test programs in BUILD/selftests-ARCH, which every boot takes
    along: for the user space of this kernel's boards, built with its headers.
    Without symbols they are a third smaller, and so is every RAM disk."""
    src = configure(name)
    userland, compiler = PROGRAMS[name]
    dest = BUILD / f"selftests-{userland}"
    shutil.rmtree(dest, ignore_errors=True)
    make(name, ["kselftest-install", "TARGETS=cma dmabuf-heaps", "FORCE_TARGETS=1",
                f"INSTALL_PATH={dest}"] + compiler, src,
         obj(name) / "selftests.log")
    programs = [file for file in sorted(dest.rglob("*"))
                if file.is_file() and file.read_bytes()[:4] == b"\x7fELF"]
    run([CROSS[KERNELS[name].arch] + "strip", *programs])
    return dest / "cma"


def install_packages(which: str) -> None:
    """One of the lists of deps.sh. The kernel's source is there already."""
    try:
        run([REPO / "scripts/cma/deps.sh", which],
            env=os.environ | {"KSRC": str(BUILD / "linux")})
    except BuildError:
        raise BuildError("packages are missing; as root or with sudo run "
                         f"scripts/cma/deps.sh {which}") from None


def packages(names: Collection[str]) -> str:
    """Which list of deps.sh has what builds these."""
    other = any(KERNELS[name].arch == "arm64" for name in names)
    return "check" if other or not names else "build"


@build_lock
def userland(*archs: str) -> None:
    """What the boards run, of these architectures beside the usual one; '+PACKAGE,...'
    stands for programs on a disk of their own."""
    run([REPO / "scripts/cma/userland.sh", *archs], env=lock.environment(TOP))


def compile_for_guest(name: str, arch: str, sources: Sequence[str | Path]) -> bytes:
    out = TOP / "guest" / arch / name
    out.parent.mkdir(parents=True, exist_ok=True)
    run_quietly(f"{name}: ", [CROSS[arch] + "gcc", "-O2", "-Wall", "-static", "-pthread",
                              "-D_GNU_SOURCE", *sources, "-o", out])
    return out.read_bytes()


@build_lock
def guest_program(name: str, arch: str = "arm") -> bytes:
    """A program of guest/, with the libraries of the selftests; its bytes.
    Its sources are NAME.c and NAME_*.c."""
    guest = REPO / "scripts/cma/guest"
    tests = our_tree() / "tools/testing/selftests/cma"
    libraries = [tests / f"cma_{part}.c" for part in ("test_lib", "mem", "counters", "kinds_lib")]
    return compile_for_guest(name, arch, [
        "-D_FILE_OFFSET_BITS=64", f"-I{tests}", guest / f"{name}.c",
        *sorted(guest.glob(f"{name}_*.c")), *libraries])


@build_lock
def cmastat(arch: str = "arm") -> bytes:
    """The program that shows areas; its bytes."""
    return compile_for_guest("cmastat", arch, sorted(
        (our_tree() / "tools/mm").glob("cmastat*.c")))


@build_lock
def guest_module(source: str, name: str) -> bytes:
    """A module of guest/ for the kernel @name, which was built; its bytes."""
    path = REPO / f"scripts/cma/guest/{source}.c"
    return (build_outside(name, tree(name), path) / f"{source}.ko").read_bytes()
