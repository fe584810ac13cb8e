# SPDX-License-Identifier: GPL-2.0
"""What all commands have: a help, and an end."""

import argparse
import sys
from collections.abc import Callable

from lab import children
from trees.git import Error


def parser(text: str, builds: bool = False) -> argparse.ArgumentParser:
    """@text is the help, shown as it is. A command that @builds what it boots has --no-build."""
    new = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    if builds:
        new.add_argument("--no-build", action="store_true",
                         help="boot what is in $BUILD already")
    return new


def run(main: Callable[[], int]) -> None:
    """Ends with the status of @main, or with a message of what went wrong."""
    children.end_on_signals()
    try:
        sys.exit(main())
    except Error as err:
        sys.exit(f"FAILED {err}")
