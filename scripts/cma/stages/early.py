# SPDX-License-Identifier: GPL-2.0
"""What the newest kernel takes of areas before they are active, or by their
address: huge pages at boot, the memory of a crash kernel, the segments of the next
kernel. Linux 6.12 has nothing of this.
"""

from pathlib import Path
from typing import Any

from lab import kbuild
from stages.stage import Stage

PAGES = Path("/sys/kernel/mm/hugepages/hugepages-1048576kB")
AREA = "/sys/kernel/debug/cma/hugetlb0"
SMALLER = PAGES.with_name("hugepages-2048kB") / "nr_hugepages"
PER_PAGE = 1 << 18		# small pages of a huge one
FREE_KB = "awk '/^CmaFree:/ { print $2 }' /proc/meminfo"


def resize(nr: int, pool: Path = PAGES / "nr_hugepages") -> str:
    """So many huge pages are asked for, and got: those of 1 GiB unless told."""
    return f"echo {nr} >{pool} && grep -x {nr} {pool}"


def used(nr: int) -> str:
    """So many huge pages of the area are out."""
    return f"grep -x {nr * PER_PAGE} {AREA}/used"


# Pages of an area in several pieces: 4 GiB are below this hole, less than 6 above.
PIECES: dict[str, Any] = {"extra": ["-cpu", "max"], "mem": "12G", "timeout_s": 400,
          "expect": [r"^cma: hugetlb0: 5120 MiB at (?:0x\w+-0x\w+, ){2}",
                     "^HugeTLB: registered 1.00 GiB page size, pre-allocated 4 pages"]}
PIECES_APPEND = ("memmap=2M$0x200000000 hugetlb_cma=5G hugetlb_cma_only=1 "
                 "hugepagesz=1G hugepages=4")
# Two of them lie side by side.
ALL_OUT = (f"cd {PAGES} && grep -x 4 nr_hugepages && grep -x 4 free_hugepages && "
           f"{used(4)} && test $(grep -c 'huge pages at boot' {AREA}/buffers) = 3")


def boot_huge_pages(stage: Stage, kernel: str | None = None) -> None:
    """Pages of 1 GiB that an area of several pieces gave before it was active. They
    come back whole or in parts, and go out again. kernel: another one than the
    board's own."""
    stage.boot("x86_64-early", "x86_64", kernel, append=PIECES_APPEND, **PIECES, commands=[
                   ALL_OUT,
                   f"before=$({FREE_KB}); {resize(0)} && {used(0)} && "
                   f"test $(($({FREE_KB}) - before)) -gt 4000000",
                   f"{resize(4)} && {used(4)}",
                   f"cd {PAGES} && echo 2048kB >demote_size && echo 1 >demote && "
                   "echo 0 >../hugepages-2048kB/nr_hugepages && "
                   "grep -x 0 ../hugepages-2048kB/nr_hugepages && "
                   f"grep -x 3 nr_hugepages && {used(3)}",
                   f"echo 0 >{PAGES}/nr_hugepages && {used(0)}"])


def boot_short_map(stage: Stage) -> None:
    """The area does not touch the struct pages that hugetlb leaves out. No page
    comes back here: with DEBUG_VM Linux 7.3 complains, whether there are areas or
    not, as those that all huge pages of a zone share for their tails have a count."""
    stage.boot("x86_64-short-map", "x86_64", **PIECES, commands=[ALL_OUT],
               append=PIECES_APPEND + " hugetlb_free_vmemmap=on")


def boot_early_parts(stage: Stage, kernel: str | None = None) -> None:
    """A page of before the area was active is made into smaller ones, and all of it
    comes back."""
    stage.boot("x86_64-early-parts", "x86_64", kernel, extra=["-cpu", "max"], mem="4G",
               timeout_s=300,
               append="hugetlb_cma=1G hugetlb_cma_only=1 hugepagesz=1G hugepages=1",
               commands=[f"{used(1)} && cd {PAGES} && echo 2048kB >demote_size && "
                         "echo 1 >demote && "
                         "grep -x 512 ../hugepages-2048kB/nr_hugepages",
                         "cd /sys/kernel/mm/hugepages/hugepages-2048kB && "
                         f"echo 100 >nr_hugepages && {used(1)}",
                         "cd /sys/kernel/mm/hugepages/hugepages-2048kB && "
                         f"echo 0 >nr_hugepages && {used(0)}",
                         f"echo 1 >{PAGES}/nr_hugepages && {used(1)}"])


CRASH_AREAS = "/sys/kernel/debug/cma/crashkernel*"


def boot_crash(stage: Stage) -> None:
    """The kernel takes an area for the crash kernel as one range of addresses. So
    an area that does not fit into one piece is refused, and two halves are made.
    Such an option does not replace the one that has the address."""
    stage.boot("x86_64-crash", "x86_64", mem="4G", timeout_s=300,
               # 2 GiB are below the hole of PCI, and 2 above it.
               append="crashkernel=64M@0x10000000 crashkernel=2560M,cma "
               "cma=16M@0x10000000",
               expect=["^cma: reserved: .* overlaps crashkernel= at 0x0*10000000-",
                       "^cma: crashkernel: no room for ",
                       r"^cma: crashkernel: 1280 MiB at 0x\w+-0x\w+, shared",
                       r"^cma: crashkernel-\d: 1280 MiB at 0x\w+-0x\w+, shared",
                       "^crashkernel CMA reserved: 2560 MB in 2 ranges"],
               commands=[f"test $(ls -d {CRASH_AREAS} | wc -l) = 2",
                         f"! ls -d {CRASH_AREAS}/ranges/1"])


def boot_next_kernel(stage: Stage) -> None:
    """The segments of the next kernel are buffers of the default area, which come
    back if it is not wanted any more."""
    area = "/sys/kernel/debug/cma/reserved"
    stage.boot("x86_64-next", "x86_64", timeout_s=300, append="cma=64M",
               files={"next": kbuild.image("x86_64"),
                      "kexec": kbuild.guest_program("kexec", "x86_64")},
               commands=[f"cat {area}/used >/before",
                         f"/kexec load /next '' '' && test $(($(cat {area}/used) - "
                         "$(cat /before))) -gt 512",
                         f"/kexec unload && test $(cat {area}/used) = $(cat /before)",
                         # Or user space says that it shall be none of the area.
                         f"/kexec elsewhere /next '' '' && test $(cat {area}/used) = "
                         "$(cat /before) && /kexec unload"])
