# SPDX-License-Identifier: GPL-2.0
"""Whether two kernels are the same, byte for byte: two ELF files in, the sections
that differ out.
"""

import re
import struct

from lab import kbuild

KERNELS = ["bare-arm", "nocma-arm"]
NOBITS = 8
SYMBOLS = ".strtab"


def headers_of(elf):
    """(name, header) of each section."""
    start, = struct.unpack_from("<I", elf, 32)
    size, nr, names = struct.unpack_from("<3H", elf, 46)
    headers = [struct.unpack_from("<10I", elf, start + i * size)
               for i in range(nr)]
    base = headers[names][4]
    for header in headers:
        end = elf.index(b"\0", base + header[0])
        yield elf[base + header[0]:end].decode(), header


def sections(elf):
    """{name: what a section has and where it lies}."""
    found = {}
    for name, header in headers_of(elf):
        _, kind, flags, address, offset, length, *rest = header
        data = elf[offset:offset + length] if kind != NOBITS else b""
        found[name] = (kind, flags, address, length, data, rest)
    return found


def without_numbers(elf):
    """The compiler numbers what has no name (CSWTCH.330), and counts what is
    declared; that is in the symbols, and not in the kernel that runs."""
    for name, header in headers_of(elf):
        if name == SYMBOLS:
            start, end = header[4], header[4] + header[5]
            return elf[:start] + re.sub(
                rb"\.(\d+)(?=\0)", lambda m: b"." + b"0" * len(m[1]),
                elf[start:end]) + elf[end:]
    return elf


def differences(one, other):
    """The names of what differs in the contents of two ELF files."""
    one, other = without_numbers(one), without_numbers(other)
    if one == other:
        return []
    one, other = sections(one), sections(other)
    return sorted(name for name in one.keys() | other.keys()
                  if one.get(name) != other.get(name)) or ["the headers"]


def programs(name):
    """vmlinux and the modules of a kernel: {path in its object folder: ELF}."""
    folder = kbuild.obj(name)
    paths = [folder / "vmlinux", *sorted((folder / "modules").rglob("*.ko"))]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
