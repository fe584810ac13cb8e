# SPDX-License-Identifier: GPL-2.0
"""What the stages of check.py share: a stage counts results, builds kernels,
boots boards.
"""

import os
import re
import subprocess
import threading
import time
from pathlib import Path

from lab import boards, children, kbuild, lock, skips

BUILD = kbuild.BUILD
LOGS = BUILD / "check"
HERE = Path(__file__).resolve().parents[1]

# What no kernel without the allocator may define, and ours must.
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


class Stage:
    """Counts one stage's results and shows the failed ones. Boots may be run
    by several threads."""

    def __init__(self, name):
        self.name = name
        self.lock = threading.RLock()
        self.passed = self.failed = self.skipped = 0
        self.start = time.monotonic()

    def result(self, ok, name, detail=""):
        if ok:
            self.passed += 1
            return
        self.failed += 1
        print(f"  FAILED {name}", flush=True)
        for line in str(detail).splitlines()[:40]:
            print(f"    {line}", flush=True)

    def skip(self, name, reason):
        self.skipped += 1
        print(f"  skipped {name}: {reason}", flush=True)

    def log(self, name, text):
        path = LOGS / f"{self.name}-{name}.log"
        path.write_text(text)
        return path

    def run(self, name, cmd, **kw):
        """A command as one result; returns its output. It does not wait for
        what this process builds meanwhile."""
        done = children.run(cmd, text=True, errors="replace",
                            env=lock.environment(BUILD),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, **kw)
        self.log(name, done.stdout)
        self.result(done.returncode == 0, name,
                    "\n".join(done.stdout.splitlines()[-20:]))
        return done.stdout

    def output(self, name, cmd):
        """The lines that a tool of the kernel tree says."""
        # Debian's python3 is the one that has the modules.
        env = dict(os.environ, PATH="/usr/bin:/bin:" + os.environ["PATH"])
        done = children.run(cmd, cwd=BUILD / "linux", text=True,
                            errors="replace", env=env, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
        self.log(name, done.stdout)
        return done.stdout.splitlines()

    def tests(self, name, results, has):
        """Results of tests, where there is what skips.features() says."""
        for test in results:
            if test.status != "skip":
                self.result(test.status == "ok", f"{name}: {test.name}")
            elif skips.allowed(test.reason, has):
                self.skip(f"{name}: {test.name}", test.reason)
            else:
                self.result(False, f"{name}: {test.name}",
                            f"it skipped: {test.reason or 'it does not say why'}")

    def boot(self, name, board, **kw):
        """A boot: each of its tests is a result, and the boot itself."""
        got = boards.boot(board, log=LOGS / f"{self.name}-{name}.log", **kw)
        kernel_dir = kw.get("kernel_dir") or kbuild.obj(
            boards.BOARDS[board].kernel)
        has = skips.features((kernel_dir / ".config").read_text(), **{
            k: v for k, v in kw.items()
            if k in ("append", "nodes", "disk", "ask_host")})
        with self.lock:
            self.tests(name, got.ktap, has)
            self.result(got.ok, f"{name}: boot of {board}",
                        "\n".join(got.problems + [""] + got.lines[-12:]))
            print(f"  {name}: {board}, {len(got.ktap)} tests, "
                  f"{got.elapsed_s:.0f} s", flush=True)
        return got


installed = {}			# kernel: the tests' names
installing = threading.Lock()


def selftests(name="arm"):
    """The guest's paths of the test programs, which are installed once."""
    with installing:
        if name not in installed:
            folder = kbuild.selftests(name).parent
            text = (folder / "kselftest-list.txt").read_text()
            installed[name] = re.findall(r"^cma:(\S+)$", text, re.M)
    if not installed[name]:
        raise kbuild.BuildError("no selftest was built")
    return [f"/selftests/cma/{test}" for test in installed[name]]


def test_driver(parameters):
    """The guest's command that loads the driver of the tests."""
    return ("insmod /lib/modules/$(uname -r)/kernel/mm/cma/tests/dma_test.ko "
            + parameters)


def guest_files(*names):
    """Scripts of guest/ as boot() takes them; the guest has them in /."""
    return {name: (HERE / "guest" / name).read_bytes() for name in names}


def vmlinux_symbols(name):
    nm = kbuild.CROSS[kbuild.KERNELS[name].arch] + "nm"
    out = kbuild.run([nm, kbuild.obj(name) / "vmlinux"], stdout=subprocess.PIPE)
    return {line.split()[-1] for line in out.stdout.splitlines()}


class Builder:
    """Builds each kernel once, in the background while nobody waits for it:
    make is nice to the boots that run meanwhile, which wait most of the time.
    """

    def __init__(self):
        self.locks = {name: threading.Lock() for name in kbuild.KERNELS}
        self.built = {}		# name: why it does not build, or None

    def build(self, name):
        with self.locks[name]:
            if name not in self.built:
                try:
                    kbuild.build(name)
                    self.built[name] = None
                except kbuild.BuildError as err:
                    self.built[name] = err
            if self.built[name]:
                raise self.built[name]

    def build_ahead(self, names):
        def work():
            for name in names:
                try:
                    self.build(name)
                except kbuild.BuildError:
                    pass	# whoever needs it has the same again
        threading.Thread(target=work, daemon=True).start()

    def build_for(self, stage, names):
        """As results: it builds, and has what it should have. True if there
        is what the stage needs."""
        built = True
        for name in names:
            try:
                self.build(name)
            except kbuild.BuildError as err:
                stage.result(False, f"build {name}", err)
                built = False
                continue
            stage.result(True, f"build {name}")
            have = vmlinux_symbols(name)
            if name.startswith("bare-"):
                left = sorted(filter(REMOVED.match, have))
                stage.result(not left, f"{name} is bare", "\n".join(left))
            elif name not in WITHOUT_DMA:
                gone = [s for s in SYMBOLS if s not in have]
                stage.result(not gone, f"{name} has the allocator",
                             "\n".join(gone))
        return built
