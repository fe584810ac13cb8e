# SPDX-License-Identifier: GPL-2.0
"""What a guest asks for arrives at the emulator; a refusal is noticed."""

import json
import socket
import threading
from pathlib import Path

from lab import monitor
from tests.case import Case

ANSWERS = {"qmp_capabilities": {},
           "query-memory-size-summary": {"base-memory": 256 << 20},
           "balloon": {}, "screendump": {}}


class Emulator(threading.Thread):
    """One connection; an event comes before each answer."""

    def __init__(self, path, answers):
        super().__init__(daemon=True)
        self.answers = answers
        self.asked = []
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(str(path))
        self.sock.listen()
        self.start()

    def run(self):
        with self.sock, self.sock.accept()[0] as peer, peer.makefile("rw") as stream:
            def say(what):
                stream.write(json.dumps(what) + "\n")
                stream.flush()

            say({"QMP": {"version": {}}})
            for line in stream:
                request = json.loads(line)
                self.asked.append((request["execute"], request["arguments"]))
                say({"event": "BALLOON_CHANGE"})
                answer = self.answers.get(request["execute"])
                if request["execute"] == "screendump":
                    Path(request["arguments"]["filename"]).write_text("P6")
                say({"error": {"desc": "no such thing"}} if answer is None
                    else {"return": answer})


class Requests(Case):
    def setUp(self):
        self.path = self.folder() / "monitor"

    def monitor(self, answers):
        self.emulator = Emulator(self.path, answers)
        host = monitor.Monitor(self.path)
        self.addCleanup(self.emulator.join, 10)
        self.addCleanup(host.close)
        return host

    def test_size(self):
        host = self.monitor(ANSWERS)
        for line in ("[    4.1] # host: balloon 65536 KiB", "host: balloon",
                     "[    5.1] # host: balloon 0 KiB", "foo"):
            host.on_line(line)
        self.assertEqual(
            [arguments for name, arguments in self.emulator.asked
             if name == "balloon"],
            [{"value": 192 << 20}, {"value": 256 << 20}])

    def test_refusal(self):
        answers = {k: v for k, v in ANSWERS.items() if k != "balloon"}
        host = self.monitor(answers)
        with self.assertRaisesRegex(monitor.MonitorError, "balloon: no such thing"):
            host.on_line("# host: balloon 1 KiB")

    def test_screen(self):
        host = self.monitor(ANSWERS)
        for line in ("# host: screen", "host: screens", "[ 1.0] host: screen"):
            host.on_line(line)
        self.assertEqual(host.screens, [b"P6", b"P6"])

    def test_nobody_is_asked(self):
        monitor.Monitor(self.path).on_line("host: balloons")
