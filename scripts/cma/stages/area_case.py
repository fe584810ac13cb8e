# SPDX-License-Identifier: GPL-2.0
"""One way in which a board declares areas, and what its boot log says of them.

A step of cma_client is what a device asks for and where it has to come from;
see tools/testing/selftests/cma/cma_client.c.
"""

import re
from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from pathlib import Path
from typing import Any

from lab import devicetree

ANYWHERE = "0x[0-9a-f]{8}"
PARTS = "shared but for parts of pageblocks"
CLIENT = "/selftests/cma/cma_client"
AREA = 'compatible = "shared-dma-pool"; reusable;'
DEVICE = 'compatible = "test,cma-dma-test";'

# A node that many of the device trees have.
POOL = """
	pool: pool { AREA size = <0 0x1000000>; linux,cma-default; };
"""


@dataclass
class Case:
    """One boot. refused: what the binding has to say about the nodes, one
    regular expression for each line; None if that is not its business."""
    name: str
    nodes: str
    steps: InitVar[Sequence[str]] = ()
    expect: Sequence[str] = ()
    board: str = "virt"
    append: str = ""
    overlays: Sequence[str] = ()
    commands: Sequence[str] = ()
    refused: Sequence[str] | None = ()
    mem: str | None = None

    def __post_init__(self, steps: Sequence[str]) -> None:
        self.nodes, *self.overlays = (
            text.replace("AREA", AREA).replace("DEVICE", DEVICE)
            for text in (self.nodes, *self.overlays))
        self.commands = [*(f"{CLIENT} {step}" for step in steps), *self.commands]

    def compile(self, dtb: Path) -> None:
        """The nodes alone, without a board."""
        cells = re.search("#address-cells = <.>; *#size-cells = <.>;",
                          " ".join(self.nodes.split()))
        devicetree.build(f"""/dts-v1/;
/ {{ compatible = "test,board"; model = "none"; {cells[0]} }};
{self.nodes}""", dtb)
        devicetree.extend(dtb, "", self.overlays)

    def refused_by(self, said: str) -> bool:
        lines = said.splitlines()
        return len(lines) == len(self.refused) and all(
            any(re.search(r, line) for line in lines) for r in self.refused)


def tree(areas: str, devices: str = "", cells: int = 2) -> str:
    return f"""/ {{
	reserved-memory {{
		#address-cells = <{cells}>;
		#size-cells = <{cells}>;
		ranges;
{areas}
	}};
{devices}
}};
"""


def devices(**areas: str) -> str:
    """Devices by their names, and the labels of the areas that each refers to."""
    return "".join("\t%s { DEVICE %s};\n" % (name, labels and "memory-region = %s; " % ", ".join(
        f"<&{label}>" for label in labels.split())) for name, labels in areas.items())


SOURCES = ("the command line", "the device tree", "the configuration",
           "board code")


def announced(name: str, size: str, place: str, kind: str = "shared",
              users: str = "devices that refer to it", zone: str | None = "lowmem",
              source: str | None = None) -> str:
    """The line of the boot log about an area. place: where each piece begins,
    with commas between. zone: None for a kernel without high memory. source: who
    wished for it; unless told, whoever has such users."""
    if not source:
        source = ("the device tree" if users == "devices that refer to it"
                  else f"(?:{'|'.join(SOURCES)})")
    ends = ", ".join(f"(?:{base})-0x[0-9a-f]+" for base in place.split(", "))
    zone = f"{zone}, " if zone else ""
    return (rf"^cma: {name}: {size} at {ends}, {zone}{kind}, for {users}, "
            rf"from {source}$")


def default(size: str, place: str = ANYWHERE, name: str = "reserved", **more: Any) -> str:
    """The same of the default area, which is the command line's unless named."""
    return announced(name, size, place, users="all devices", **more)
