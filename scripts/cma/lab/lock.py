# SPDX-License-Identifier: GPL-2.0
"""One lock for what is built in $BUILD: a second run waits for the first.

It belongs to the process: its threads, who know of each other, share it, and
so do the scripts that it starts with environment().
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

NAME = ".lock"
INHERITED = "CMA_LOCKED"	# what a script's parent holds already

_guard = threading.Lock()
_held: dict[str, tuple[int, TextIO]] = {}	# path: how many times, file


def _take(path: str) -> TextIO:
    file = open(path, "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for another run in {os.path.dirname(path)}", flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)
    return file


@contextlib.contextmanager
def held(build: str | Path) -> Iterator[None]:
    path = os.path.join(os.path.realpath(build), NAME)
    if os.environ.get(INHERITED) == path:
        yield
        return
    with _guard:
        if path not in _held:
            os.makedirs(build, exist_ok=True)
            _held[path] = 0, _take(path)
        _held[path] = _held[path][0] + 1, _held[path][1]
    try:
        yield
    finally:
        with _guard:
            times, file = _held.pop(path)
            if times > 1:
                _held[path] = times - 1, file
            else:
                file.close()


def environment(build: str | Path) -> dict[str, str]:
    """For a script that is started with the lock held."""
    return os.environ | {INHERITED: os.path.join(os.path.realpath(build), NAME)}
