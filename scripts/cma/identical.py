# SPDX-License-Identifier: GPL-2.0
"""Whether two kernels are the same, byte for byte: a stage of check.py.

Pure but for the stage: two 32 bit ELF files in, the sections that differ out.
"""

import struct

import kernel

KERNELS = ["bare-arm", "nocma-arm"]
NOBITS = 8


def sections(elf):
    """{name: what a section has and where it lies}."""
    start, = struct.unpack_from("<I", elf, 32)
    size, nr, names = struct.unpack_from("<3H", elf, 46)
    headers = [struct.unpack_from("<10I", elf, start + i * size)
               for i in range(nr)]
    base = headers[names][4]
    found = {}
    for name, kind, flags, address, offset, length, *rest in headers:
        end = elf.index(b"\0", base + name)
        data = elf[offset:offset + length] if kind != NOBITS else b""
        found[elf[base + name:end].decode()] = (kind, flags, address, length,
                                                data, rest)
    return found


def differences(one, other):
    """The names of what differs in the contents of two ELF files."""
    if one == other:
        return []
    one, other = sections(one), sections(other)
    return sorted(name for name in one.keys() | other.keys()
                  if one.get(name) != other.get(name)) or ["the headers"]


def programs(name):
    """vmlinux and the modules of a kernel: {path in its object folder: ELF}."""
    folder = kernel.obj(name)
    paths = [folder / "vmlinux", *sorted((folder / "modules").rglob("*.ko"))]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def stage_identical(stage):
    """CONFIG_CMA=n leaves no trace."""
    bare, ours = map(programs, KERNELS)
    stage.result(bare.keys() == ours.keys(), "the same modules",
                 bare.keys() ^ ours.keys())
    for path in sorted(bare.keys() & ours.keys()):
        differ = differences(bare[path], ours[path])
        stage.result(not differ, f"CONFIG_CMA=n is bare: {path}",
                     "different: " + ", ".join(differ))
