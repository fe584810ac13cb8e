# SPDX-License-Identifier: GPL-2.0
"""Does what a guest asks its machine for, over QEMU's monitor (QMP).

A test that needs something of the machine prints a line "host: WHAT"; the
console brings it here, if the kernel's command line has CMA_TEST_HOST=1.
What can be asked for:

    host: balloon KIB     have the guest's balloon take that much
    host: screen          keep what the display shows
"""

import json
import re
import socket
from pathlib import Path
from typing import Any, TextIO

BALLOON = re.compile(r"host: balloon (\d+) KiB$")
SCREEN = re.compile(r"host: screen$")


class MonitorError(Exception):
    """What the emulator answered instead of what was asked for."""


class Monitor:
    """path: of the socket, which is there once the emulator has started.
    screens: what was kept of the display, each a portable pixmap."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stream: TextIO | None = None
        self.screens: list[bytes] = []

    def options(self) -> list[str]:
        """For the emulator: the monitor, and what can be asked of it."""
        return ["-qmp", f"unix:{self.path},server=on,wait=off",
                "-device", "virtio-balloon-device,free-page-reporting=on"]

    def execute(self, command: str, **arguments: Any) -> Any:
        if not self.stream:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(self.path))
                self.stream = sock.makefile("rw")
            self.stream.readline()	# the greeting
            self.execute("qmp_capabilities")
        request = {"execute": command, "arguments": arguments}
        self.stream.write(json.dumps(request) + "\n")
        self.stream.flush()
        for line in self.stream:
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise MonitorError(f"{command}: {answer['error']['desc']}")
        raise MonitorError(f"{command}: the emulator hung up")

    def on_line(self, line: str) -> None:
        """Takes each line of the console."""
        wanted = BALLOON.search(line)
        if wanted:
            size = self.execute("query-memory-size-summary")["base-memory"]
            self.execute("balloon", value=size - int(wanted[1]) * 1024)
        if SCREEN.search(line):
            picture = self.path.with_suffix(".ppm")
            self.execute("screendump", filename=str(picture))
            self.screens.append(picture.read_bytes())

    def close(self) -> None:
        if self.stream:
            self.stream.close()
