# SPDX-License-Identifier: GPL-2.0
"""Programs that are started, and their end: none stays behind.

A program's main() calls end_on_signals(): being told to end, or losing its
terminal, then ends it as an exception does, after what it started. Should it
be killed instead, the kernel ends its children by itself (PR_SET_PDEATHSIG).
"""

import contextlib
import errno
import os
import shutil
import signal
import subprocess

GRACE_S = 10		# to clean up, before a child is killed

_running = {}		# Popen: the signal that ends it
_ending = False


@contextlib.contextmanager
def running(cmd, end=signal.SIGTERM, **kw):
    """A Popen; when the block ends by an exception, so does the program. end:
    what ends it, SIGTERM for those that clean up. The arguments of Popen."""
    if _ending:
        raise SystemExit("nothing is started any more")
    cmd = [str(c) for c in cmd]
    if "/" not in cmd[0] and not shutil.which(cmd[0]):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), cmd[0])
    with subprocess.Popen(["setpriv", "--pdeathsig", end.name[3:], *cmd],
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


def run(cmd, end=signal.SIGTERM, timeout=None, **kw):
    """subprocess.run(), as far as it is used here."""
    with running(cmd, end, **kw) as proc:
        out, err = proc.communicate(timeout=timeout)
    return subprocess.CompletedProcess(list(map(str, cmd)), proc.returncode, out, err)


def capture(cmd, **kw):
    """run(), with what it says, errors among it, in stdout."""
    return run(cmd, text=True, errors="replace", stdin=subprocess.DEVNULL,
               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)


def _end(number, frame):
    global _ending
    _ending = True
    for name in signal.SIGTERM, signal.SIGHUP:
        signal.signal(name, signal.SIG_IGN)
    # Threads wait for those of theirs.
    for proc, end in list(_running.items()):
        proc.send_signal(end)
    raise SystemExit(128 + number)


def end_on_signals():
    for name in signal.SIGTERM, signal.SIGHUP:
        if signal.getsignal(name) != signal.SIG_IGN:	# nohup
            signal.signal(name, _end)
