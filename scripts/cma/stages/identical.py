# SPDX-License-Identifier: GPL-2.0
"""Whether two kernels are the same, byte for byte: two ELF files in, the sections
that differ out.
"""

import io
import re

from elftools.elf.elffile import ELFFile

from lab import kbuild

KERNELS = ["bare-arm", "nocma-arm"]
SYMBOLS = ".strtab"


def without_numbers(elf: bytes) -> bytes:
    """The compiler numbers what has no name (CSWTCH.330), and counts what is
    declared; that is in the symbols, and not in the kernel that runs."""
    table = ELFFile(io.BytesIO(elf)).get_section_by_name(SYMBOLS)
    if not table:
        return elf
    start, end = table["sh_offset"], table["sh_offset"] + table["sh_size"]
    return elf[:start] + re.sub(rb"\.(\d+)(?=\0)", lambda m: b"." + b"0" * len(m[1]),
                                elf[start:end]) + elf[end:]


def sections(elf: bytes) -> dict[str, object]:
    """{name: what a section has and where it lies in memory}."""
    return {section.name: ({k: v for k, v in section.header.items()
                            if k not in ("sh_name", "sh_offset")}, section.data())
            for section in ELFFile(io.BytesIO(elf)).iter_sections()}


def differences(one: bytes, other: bytes) -> list[str]:
    """The names of what differs in the contents of two ELF files."""
    one, other = without_numbers(one), without_numbers(other)
    if one == other:
        return []
    ours, theirs = sections(one), sections(other)
    return sorted(name for name in ours.keys() | theirs.keys()
                  if ours.get(name) != theirs.get(name)) or ["the headers"]


def programs(name: str) -> dict[str, bytes]:
    """vmlinux and the modules of a kernel: {path in its object folder: ELF}."""
    folder = kbuild.obj(name)
    paths = [folder / "vmlinux", *sorted((folder / "modules").rglob("*.ko"))]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
