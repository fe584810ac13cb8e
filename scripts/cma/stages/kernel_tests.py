# SPDX-License-Identifier: GPL-2.0
"""Tests that the newest kernel has and nobody here wrote: dma-buf heaps, long-term
pins, huge pages, kexec handover; and crash kernels. They run as they are with this
allocator and with mainline's. A test may fail here if it fails there as well.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lab import boards, kbuild, verdict
from stages.stage import BUILD, LOGS, Stage, side_by_side, stage
from trees import bases

BOARD = "x86_64"
OURS, MAINLINE = "tests-x86_64", "base-tests-x86_64"
OUT = BUILD / "kernel-tests"
SELFTESTS = "tools/testing/selftests"
HEAPS = ["dmabuf-heap"]
MM = ["cow", "gup_longterm", "gup_test", "compaction_test", "hugetlb-mmap",
      "hugetlb-shm", "hugetlb-mremap", "hugetlb-madvise", "hugetlb_dio",
      "hugetlb_fault_after_madv", "hugetlb_madv_vs_map", "thuge-gen",
      "hugetlb-soft-offline", "hugetlb-read-hwpoison"]
# As kho/vmtest.sh builds it.
NOLIBC = ["-s", "-static", "-Os", "-nostdinc", "-nostdlib",
          "-fno-asynchronous-unwind-tables", "-fno-ident"]
DISK, SWAP = OUT / "disk.ext4", OUT / "swap"
DISK_SIZE = 512 << 20
# A test that skips is absent by its name.
RANK = {"ok": 0, "skip": 1, "absent": 1, "not ok": 2}

# As mm/run_vmtests.sh runs it without arguments, and its matrix of long-term pins.
GUP = ["-u -n 1", "-u -n -1", "-a -n 1", "-a -n -1", "-ct -F 0x1 0 19 0x1000"]
GUP += [f"{huge} -L {write} {share} -n 512" for huge in ("-t", "-T", "-H -m 256")
        for write in ("-w", "-W") for share in ("", "-S")]

NUMBER = re.compile(r"=\d+")	# in the name of a test, other ones with each run

KHO_RESTORED = "test_kho: KHO restore succeeded"
UP = " as init process"
NO_ROOT = "Kernel panic - not syncing: VFS: Unable to mount root fs"

# What is free outside of areas does not do: half of the memory of areas as well.
FILL = """
set -e
free_of() { awk -v name=$1 '$1 == name {print $2}' /proc/vmstat; }
before=$(free_of nr_free_cma)
pages=$(free_of nr_free_pages)
echo "free: $pages pages, $before of them are MIGRATE_CMA"
test $before -gt 0
mount -t tmpfs -o size=100% tmpfs /mnt
dd if=/dev/zero of=/mnt/fill bs=1M count=$(((pages - before / 2) / 256))
during=$(free_of nr_free_cma)
rm /mnt/fill
after=$(free_of nr_free_cma)
echo "free MIGRATE_CMA pages: $before, when memory is full $during, then $after"
test $during -lt $((before * 6 / 10))
test $after -gt $((before * 9 / 10))
"""
# kexec puts an image into the default area, and takes it out again.
SEGMENTS = """
set -e
used=/sys/kernel/debug/cma/reserved/used
before=$(cat $used)
/kexec load /kernel /second "$(cat /proc/cmdline)"
loaded=$(cat $used)
/kexec unload
after=$(cat $used)
echo "pages of the area in use: $before, with a kernel loaded $loaded, then $after"
test $loaded -gt $((before + 1024))
test $after = $before
"""
# A page of the area that was taken at boot; then the whole area, once it is empty.
GIGANTIC = """
set -e
cd /sys/kernel/mm/hugepages/hugepages-1048576kB
used=/sys/kernel/debug/cma/hugetlb0/used
if [ $1 = early ]; then
	grep -x 1 nr_hugepages
	grep -x 262144 $used
	exit
fi
echo 0 >nr_hugepages
grep -x 0 $used
echo 2 >nr_hugepages
grep -x 2 nr_hugepages
grep -x 524288 $used
"""
SCRIPTS = {"fill": FILL.encode(), "segments": SEGMENTS.encode(),
           "gigantic": GIGANTIC.encode(), "debugfs/empty": b""}


@dataclass(frozen=True)
class Boot:
    """commands: what the guest runs. second: what it runs once kexec has started
    the same kernel again; None if it does not. expect: text that must come.
    may_say: splats that belong to the test, as regular expressions. files: more
    that the guest has. ends: the guest powers off by itself."""
    name: str
    mem: str
    append: str
    commands: Sequence[str] = ()
    second: Sequence[str] | None = None
    expect: Sequence[str] = ()
    may_say: Sequence[str] = ()
    files: Sequence[str] = ()
    ends: bool = True
    timeout_s: int = 1800


def selftest(name: str) -> str:
    return f"/selftests/{name}"


DISKS = ["mount -t ext4 /dev/vda /tmp && mkswap /dev/vdb && swapon /dev/vdb"]
ONCE_MORE = ["/kexec load /kernel /second \"$(cat /proc/cmdline)\"", "/kexec start"]
HUGE = ("hugetlb_cma=2G hugetlb_cma_only=1 default_hugepagesz=2M "
        "hugepagesz=2M hugepages=64 hugepagesz=1G hugepages=")
BOOTS = [
    # As kho/vmtest.sh does it: the second kernel has no root file system.
    Boot("kho-vmtest", "1G", "kho=on rdinit=/kho-init", expect=[KHO_RESTORED],
         may_say=[NO_ROOT], files=["kernel", "kho-init", "debugfs/empty"], ends=False,
         timeout_s=300),
    # No area at all, but memory of their kind.
    Boot("kho", "1G", "kho=on kho_scratch=32M,256M,64M", ONCE_MORE, ["sh /fill"],
         expect=[KHO_RESTORED], timeout_s=400),
    Boot("kho-area", "1G", "kho=on kho_scratch=64M,256M,64M cma=64M", ONCE_MORE, [
        "sh /fill", "cd /sys/kernel/debug/cma/reserved && echo 4096 >alloc && "
        "echo 4096 >free"], expect=[KHO_RESTORED], timeout_s=400),
    # More than there is in one piece.
    Boot("crash", "4G", "crashkernel=256M crashkernel=2500M,cma cma=64M",
         ["cat /sys/kernel/kexec_crash_cma_ranges && "
          "test $(cat /sys/kernel/kexec_crash_cma_ranges | wc -l) -ge 2",
          "grep -i crash /proc/iomem", "ls -d /sys/kernel/mm/cma/crashkernel*",
          "sh /segments",
          "/kexec crash /kernel /second \"console=ttyS0 loglevel=8 printk.devkmsg=on\"",
          "echo c >/proc/sysrq-trigger"],
         # It has more memory than what was reserved for it.
         ["test -s /proc/vmcore",
          "awk '/MemTotal/ {print; exit !($2 > 2500000)}' /proc/meminfo"],
         expect=["sysrq: Trigger a crash"],
         may_say=["Kernel panic - not syncing: sysrq triggered crash"],
         files=["segments"], timeout_s=400),
    # The tests of heaps take 32 MiB of each. A huge page of an area that hugetlb has
    # in its pool is not given to who pins it for long, so some come from elsewhere.
    Boot("pins", "1G",
         "hugepages=8 cma=512M cma_areas=one=40M:heap+two=40M:exclusive:heap",
         [*DISKS, *map(selftest, HEAPS),
          selftest("gup_longterm"), *(selftest(f"gup_test {args}") for args in GUP),
          selftest("cow"), selftest("compaction_test")],
         may_say=[r"page dumped because: gup_test: dump_pages\(\) test"]),
    Boot("huge-pages", "5G", HUGE + "1", [*DISKS, "sh /gigantic early", *map(selftest, (
        "hugetlb-mmap", "hugetlb-mmap 1024 30", "hugetlb-shm", "hugetlb-mremap",
        "hugetlb-madvise", "hugetlb_dio", "hugetlb_madv_vs_map", "thuge-gen",
        "hugetlb_fault_after_madv")), "sh /gigantic late",
        # These leave poisoned pages behind, maybe in the area.
        *map(selftest, ("hugetlb-soft-offline", "hugetlb-read-hwpoison"))],
         files=["gigantic"]),
    # Pages of an area are not pinned for long, so those of 1 GiB cannot be.
    Boot("huge-pins", "5G", HUGE + "2", [*DISKS, selftest("gup_longterm")]),
]


@dataclass
class Outcome:
    """What came of a boot with one of the allocators. results: the status of each
    test, and of each command."""
    results: dict[str, str] = field(default_factory=dict)
    splats: list[str] = field(default_factory=list)
    elapsed_s: float = 0.0


def outcome(boot: Boot, lines: Iterable[str]) -> Outcome:
    """Names of tests repeat; what skips has its reason for a name. The number of a
    test is another one if there are fewer sizes of huge pages, or fewer heaps."""
    lines = [verdict.TIMESTAMP.sub("", line.rstrip()) for line in lines]
    read = verdict.judge(lines, harmless=[*boards.BOARDS[BOARD].may_say, *boot.may_say])
    got = Outcome(splats=read.splats)
    number: Counter[str] = Counter()
    for test in read.tests:
        command, _, name = test.name.partition(": ")
        key = f"{command}: {NUMBER.sub('=N', test.reason or name)}"
        number[key] += 1
        got.results[f"{key}, {number[key]}"] = test.status
    for end in filter(None, map(verdict.END.match, lines)):
        got.results[f"{end[2]}: its status"] = {
            0: "ok", verdict.KSFT_SKIP: "skip"}.get(int(end[1]), "not ok")
    for text in boot.expect:
        came = any(text in line for line in lines)
        got.results[f"says: {text}"] = "ok" if came else "not ok"
    if boot.ends:
        got.results["the guest ends by itself"] = "ok" if read.ended else "not ok"
    return got


def compare(stage: Stage, boot: Boot, ours: Outcome, theirs: Outcome) -> None:
    """Ours has to do as well as mainline in each of the tests."""
    both: Counter[str] = Counter()
    for key in dict.fromkeys([*theirs.results, *ours.results]):
        here, there = (of.results.get(key, "absent") for of in (ours, theirs))
        name = f"{boot.name}: {key}"
        if here != there:
            print(f"  {name}: {here}, with mainline {there}", flush=True)
        elif here == "not ok":
            print(f"  {name}: {here} with both", flush=True)
        both[here] += here == there
        if RANK[here] > RANK[there]:
            stage.result(False, name, f"{here}, with mainline {there}")
        elif here == "ok":
            stage.result(True, name)
        else:
            stage.skipped += 1
    stage.result(not ours.splats, f"{boot.name}: splats", ours.splats)
    for splat in theirs.splats:
        print(f"  {boot.name}: mainline says: {splat}", flush=True)
    print(f"  {boot.name}: with both {both['ok']} passed, {both['skip']} skipped, "
          f"{both['not ok']} failed, {ours.elapsed_s:.0f} s, with mainline "
          f"{theirs.elapsed_s:.0f} s", flush=True)


@kbuild.build_lock
def programs() -> dict[str, bytes]:
    """The tests by their paths in the guest, built out of mainline's tree, whose
    sources ours leaves alone."""
    src = kbuild.tree(MAINLINE)
    kbuild.make(MAINLINE, ["headers"], src, kbuild.obj(MAINLINE) / "headers.log")
    headers = kbuild.obj(MAINLINE) / "usr/include"
    OUT.mkdir(exist_ok=True)
    for folder, names in (("dmabuf-heaps", HEAPS), ("mm", MM)):
        # The Makefile of mm takes whole paths only.
        kbuild.run_quietly(f"{folder}: ", [
            "make", "-s", f"-j{os.cpu_count()}", "-C", src / SELFTESTS / folder,
            f"OUTPUT={OUT}", "ARCH=x86_64", "EXTRA_CFLAGS=-static",
            f"KHDR_INCLUDES=-isystem {headers}", *(OUT / name for name in names)])
    kbuild.run_quietly("kho: ", [
        "gcc", *NOLIBC, "-I", headers, "-I", src / "tools/include/nolibc",
        src / SELFTESTS / "kho/init.c", "-o", OUT / "kho-init"])
    for disk in DISK, SWAP:
        disk.unlink(missing_ok=True)
        disk.touch()
        os.truncate(disk, DISK_SIZE)
    kbuild.run_quietly(f"{DISK}: ", ["/sbin/mke2fs", "-q", "-t", "ext4", DISK])
    found = {selftest(name): (OUT / name).read_bytes() for name in (*HEAPS, *MM)}
    return found | SCRIPTS | {
        "kho-init": (OUT / "kho-init").read_bytes(),
        "kexec": kbuild.guest_program("kexec", "x86_64")}


def run(boot: Boot, kernel: str, known: dict[str, bytes]) -> Outcome:
    kernel_dir = kbuild.obj(kernel)
    arch = boards.BOARDS[BOARD].arch
    files = {name: known[name] for name in boot.files if name in known}
    files |= {name: known[name] for command in boot.commands
              for name in [command.split()[0]] if name in known}
    if boot.second is not None:
        second = OUT / f"second-{boot.name}-{kernel}"
        boards.make_initrd(second, kernel_dir, arch.userland, boot.second,
                           SCRIPTS)
        files |= {"kexec": known["kexec"], "second": second.read_bytes()}
    if boot.second is not None or "kernel" in boot.files:
        files["kernel"] = (kernel_dir / arch.image).read_bytes()

    def once() -> boards.Result:
        return boards.boot(
            BOARD, kernel_dir, commands=boot.commands, files=files, mem=boot.mem,
            append=f"no_timer_check {boot.append}", timeout_s=boot.timeout_s,
            log=LOGS / f"kernel-tests-{boot.name}-{kernel}.log",
            # Huge pages of 1 GiB.
            extra=["-cpu", "max", *(option for disk in (DISK, SWAP) for option in (
                "-drive", f"if=virtio,format=raw,snapshot=on,file={disk}"))])

    got = once()
    # On a busy host mainline once stood still where it changes its clock. Without
    # its results there is nothing to compare with.
    if kernel == MAINLINE and not any(UP in line for line in got.lines):
        got = once()
    done = outcome(boot, got.lines)
    done.elapsed_s = got.elapsed_s
    return done


@stage("kernel-tests", [OURS, MAINLINE] if bases.BASE == "newest" else [], on_request=True)
def kernel_tests(stage: Stage) -> None:
    """Each boot with both allocators; what differs is printed."""
    if bases.BASE != "newest":
        stage.skip("the kernel's own tests", "they are those of the newest kernel; "
                   "add BASE=newest")
        return
    kbuild.userland("amd64")
    known = programs()
    for boot in BOOTS:
        ours, theirs = side_by_side(lambda kernel: run(boot, kernel, known),
                                    (OURS, MAINLINE))
        compare(stage, boot, ours, theirs)
