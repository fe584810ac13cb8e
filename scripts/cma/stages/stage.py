# SPDX-License-Identifier: GPL-2.0
"""What the stages of check.py share: their registry; a stage counts results,
builds kernels, boots boards.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import boards, children, kbuild, lock, skips, verdict

TOP, BUILD = kbuild.TOP, kbuild.BUILD
LOGS = BUILD / "check"
HERE = Path(__file__).resolve().parents[1]

# Symbols that no kernel without the allocator may define, and ours must.
SYMBOLS = ["cma_alloc_noprof", "cma_release", "cma_declare_contiguous_nid",
           "cma_init_reserved_mem", "alloc_contig_range_noprof",
           "alloc_contig_pages_noprof", "free_contig_range",
           "dma_alloc_from_contiguous", "dma_alloc_contiguous",
           "dma_contiguous_reserve"]
WITHOUT_DMA = ["nocma-arm", "nocma-arm64", "nocma-x86_64",
               "kasan"]	# the allocator's pure parts at most
REMOVED = re.compile(
    r"^(?:cma_(?:alloc|release|declare_contiguous|init_reserved_mem).*"
    r"|(?:alloc|free)_contig_.*|dma_alloc_(?:from_)?contiguous"
    r"|dma_contiguous_(?:reserve|remap).*|rmem_cma_.*)$")
STARTED = time.monotonic()	# when the check began
SHOWN = 40			# lines of what is wrong with a result


class Stage:
    """Counts one stage's results and shows the failed ones. Boots may be run
    by several threads."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.passed = self.failed = self.skipped = 0
        self.start = time.monotonic()

    def result(self, ok: object, name: str, detail: object = "") -> None:
        """detail: what to show if it is not ok; a list has a line in each item."""
        if ok:
            self.passed += 1
            return
        self.failed += 1
        print(f"  FAILED {name}", flush=True)
        text = "\n".join(detail) if isinstance(detail, list) else str(detail)
        for line in text.splitlines()[:SHOWN]:
            print(f"    {line}", flush=True)

    def skip(self, name: str, reason: str) -> None:
        self.skipped += 1
        print(f"  skipped {name}: {reason}", flush=True)

    def log(self, name: str, text: str) -> None:
        (LOGS / f"{self.name}-{name}.log").write_text(text)

    def run(self, name: str, cmd: Sequence[str | Path], **kw: Any) -> str:
        """A command as one result; returns its output. It does not wait for
        what this process builds meanwhile."""
        done = children.capture(cmd, env=lock.environment(TOP), **kw)
        self.log(name, done.stdout)
        self.result(done.returncode == 0, name, done.stdout.splitlines()[-20:])
        return done.stdout

    def output(self, name: str, cmd: Sequence[str | Path],
               cwd: Path = BUILD / "linux") -> list[str]:
        """The lines that a tool says, in the kernel tree unless told."""
        # Debian's python3 is the one that has the modules.
        env = dict(os.environ, PATH="/usr/bin:/bin:" + os.environ["PATH"])
        done = children.capture(cmd, cwd=cwd, env=env)
        self.log(name, done.stdout)
        return done.stdout.splitlines()

    def tests(self, name: str, results: Iterable[verdict.Test], has: Collection[str]) -> None:
        """Results of tests, where there is what skips.features() says."""
        for test in results:
            if test.status != "skip":
                self.result(test.status == "ok", f"{name}: {test.name}")
            elif skips.allowed(test.reason, has):
                self.skip(f"{name}: {test.name}", test.reason)
            else:
                self.result(False, f"{name}: {test.name}",
                            f"it skipped: {test.reason or 'it does not say why'}")

    def boot(self, name: str, board: str, kernel: str | None = None, **kw: Any) -> boards.Result:
        """A boot: each of its tests is a result, and the boot itself. kernel: the board's
        own unless told."""
        kernel_dir = kbuild.obj(kernel or boards.BOARDS[board].kernel)
        make_userland(boards.BOARDS[board].arch.userland)
        got = boards.boot(board, kernel_dir, log=LOGS / f"{self.name}-{name}.log", **kw)
        has = skips.features((kernel_dir / ".config").read_text(), **{
            k: v for k, v in kw.items()
            if k in ("append", "nodes", "disk", "ask_host")})
        with self.lock:
            self.tests(name, got.ktap, has)
            self.result(got.ok, f"{name}: boot of {board}",
                        [*got.problems, "", *got.lines[-12:]])
            print(f"  {name}: {board}, {len(got.ktap)} tests, "
                  f"{got.elapsed_s:.0f} s", flush=True)
        return got


@dataclass
class Entry:
    """A stage as it is registered. kernels: what it boots or looks at; made up
    to date before it begins. on_request: more than one wants to wait for with
    every change. changes_trees: the kernel trees; it comes before what is built
    ahead. beside: one processor has something to do most of the time, and for
    the longest, so that it goes on beside the stages that follow."""
    run: Callable[[Stage], None]
    kernels: list[str]
    on_request: bool = False
    changes_trees: bool = False
    beside: bool = False


STAGES: dict[str, Entry] = {}


def stage(name: str, kernels: Iterable[str] = (), **flags: bool
          ) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """Registers a function as a stage of check.py; see Entry."""
    def register(run: Callable[[Stage], None]) -> Callable[[Stage], None]:
        STAGES[name] = Entry(run, list(kernels), **flags)
        return run
    return register


def side_by_side(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Does it with all of them: boards wait for something half of the time."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))


installed: dict[str, list[str]] = {}	# kernel: the tests' names
made: set[str] = set()			# architectures that have a user space
installing = threading.Lock()


def make_userland(arch: str) -> None:
    """What boards of an architecture run, which is made once."""
    with installing:
        if arch not in made:
            kbuild.userland(arch)
            made.add(arch)


def selftests(name: str = "arm") -> list[str]:
    """The guest's paths of the test programs, which are installed once."""
    with installing:
        if name not in installed:
            folder = kbuild.selftests(name).parent
            text = (folder / "kselftest-list.txt").read_text()
            installed[name] = re.findall(r"^cma:(\S+)$", text, re.M)
    if not installed[name]:
        raise kbuild.BuildError("no selftest was built")
    return [f"/selftests/cma/{test}" for test in installed[name]]


def test_driver(parameters: str) -> str:
    """The guest's command that loads the driver of the tests."""
    return ("insmod /lib/modules/$(uname -r)/kernel/mm/cma/tests/dma_test.ko " + parameters)


def guest_files(*names: str) -> dict[str, bytes]:
    """Scripts of guest/ as boot() takes them; the guest has them in /."""
    return {name: (HERE / "guest" / name).read_bytes() for name in names}


def vmlinux_symbols(name: str) -> set[str]:
    return {line.split()[-1] for line in kbuild.nm(name).splitlines()}


class Builder:
    """Builds each kernel once, in the background while nobody waits for it:
    make is nice to the boots that run meanwhile, which wait most of the time.
    """

    def __init__(self) -> None:
        self.locks = {name: threading.Lock() for name in kbuild.KERNELS}
        self.errors: dict[str, kbuild.BuildError | None] = {}

    def build(self, name: str) -> kbuild.BuildError | None:
        """Why it does not build, or None."""
        with self.locks[name]:
            if name not in self.errors:
                try:
                    kbuild.build(name)
                    self.errors[name] = None
                except kbuild.BuildError as err:
                    self.errors[name] = err
            return self.errors[name]

    def build_ahead(self, names: Iterable[str]) -> None:
        threading.Thread(target=lambda: list(map(self.build, names)), daemon=True).start()

    def build_for(self, stage: Stage, names: Iterable[str]) -> bool:
        """As results: it builds, and has what it should have. True if there
        is what the stage needs."""
        built = True
        for name in names:
            err = self.build(name)
            stage.result(not err, f"build {name}", err)
            if err:
                built = False
                continue
            have = vmlinux_symbols(name)
            if name.startswith("bare-"):
                left = sorted(filter(REMOVED.match, have))
                stage.result(not left, f"{name} is bare", left)
            elif kbuild.KERNELS[name].tree == "cma" and name not in WITHOUT_DMA:
                gone = [s for s in SYMBOLS if s not in have]
                stage.result(not gone, f"{name} has the allocator", gone)
        return built
