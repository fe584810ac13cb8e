# SPDX-License-Identifier: GPL-2.0
"""Programs that are started, and their end: none stays behind.

cli.run() calls end_on_signals() for every command: being told to end, or losing its
terminal, then ends it as an exception does, after what it started. Should it
be killed instead, the kernel ends its children by itself (PR_SET_PDEATHSIG).
"""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

GRACE_S = 10		# to clean up, before a child is killed
# Arguments of Popen: what it says, errors among it, is to be read here.
OUTPUT: dict[str, Any] = {
    "text": True, "errors": "replace", "stdin": subprocess.DEVNULL,
    "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}

_running: dict[subprocess.Popen[Any], signal.Signals] = {}	# what ends each
_ending = False


@contextlib.contextmanager
def running(cmd: Sequence[str | Path], end: signal.Signals = signal.SIGTERM,
            **kw: Any) -> Iterator[subprocess.Popen[Any]]:
    """A Popen; when the block ends by an exception, so does the program. end:
    what ends it, SIGTERM for those that clean up. The arguments of Popen."""
    if _ending:
        raise SystemExit("nothing is started any more")
    program, *args = map(str, cmd)
    if "/" not in program and not shutil.which(program):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
    with subprocess.Popen(["setpriv", "--pdeathsig", end.name[3:], program, *args],
                          **kw) as proc:
        _running[proc] = end
        try:
            yield proc
        except BaseException:
            proc.send_signal(end)
            try:
                proc.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                proc.kill()
            raise
        finally:
            proc.wait()
            del _running[proc]


def run(cmd: Sequence[str | Path], end: signal.Signals = signal.SIGTERM,
        timeout: float | None = None, **kw: Any) -> subprocess.CompletedProcess[Any]:
    """subprocess.run(), as far as it is used here."""
    with running(cmd, end, **kw) as proc:
        out, err = proc.communicate(timeout=timeout)
    return subprocess.CompletedProcess(list(map(str, cmd)), proc.returncode, out, err)


def capture(cmd: Sequence[str | Path], **kw: Any) -> subprocess.CompletedProcess[str]:
    """run(), with what it says, errors among it, in stdout."""
    return run(cmd, **OUTPUT, **kw)


def _end(number: int, frame: object) -> None:
    global _ending
    _ending = True
    for name in signal.SIGTERM, signal.SIGHUP:
        signal.signal(name, signal.SIG_IGN)
    # Threads wait for those of theirs.
    for proc, end in list(_running.items()):
        proc.send_signal(end)
    raise SystemExit(128 + number)


def end_on_signals() -> None:
    for name in signal.SIGTERM, signal.SIGHUP:
        if signal.getsignal(name) != signal.SIG_IGN:	# nohup
            signal.signal(name, _end)
