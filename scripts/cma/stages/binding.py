# SPDX-License-Identifier: GPL-2.0
"""Areas of the device tree against dt-schema's own schemas of reserved memory,
which allow no property that they do not know.

The tools are Debian 12's package. The schemas are those of Debian's newest one,
as 12 has none of reserved memory. One property is not in them yet: the edit in
dt-schema/ adds it, in the form in which their maintainers get it.
"""

import re
import shutil
from pathlib import Path
from typing import Any

from lab import children
from trees import debian

HERE = Path(__file__).resolve().parents[1]
EDIT = HERE / "dt-schema" / "reserved-memory.yaml.diff"
PROPERTY = "reclaim-latency-us"
SUITE = "sid"
SCHEMAS = "usr/lib/python3/dist-packages/dtschema/schemas"


def run(*cmd: str | Path, **kw: Any) -> str:
    done = children.capture(cmd, **kw)
    return done.stdout if not done.returncode else done.stdout or "failed"


def fetch_schemas(build: Path) -> Path:
    """Fetched once. Return: their folder."""
    folder = Path(build) / "dt-schema"
    schemas = folder / SCHEMAS / "reserved-memory"
    if not schemas.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        new = folder.with_suffix(".new")
        with debian.suite(SUITE) as suite:
            suite.unpack("dt-schema", new)
        new.rename(folder)
    return schemas


def unknown(said: str) -> set[str]:
    """The properties that faults are about, as no schema knows them."""
    return set(re.findall(r"'([^' ]+)' was unexpected", said))


class Binding:
    """What dt-schema says, with or without the property that it has not yet."""

    def __init__(self, schemas: Path) -> None:
        self.schemas = Path(schemas)

    def faults(self, dtb: Path) -> str:
        """A line for each fault of the nodes of a device tree."""
        said = run("dt-validate", "-s", self.schemas, dtb)
        return "\n".join(line for line in said.splitlines() if not line.startswith("\t"))

    def faults_of_its_own(self) -> str:
        """The schemas themselves, as their tools check them."""
        return run("dt-doc-validate", "-u", self.schemas.parent,
                   self.schemas / "reserved-memory.yaml")

    def edited(self, folder: str | Path) -> "Binding":
        """The schemas with the edit."""
        copy = Path(folder) / "schemas" / self.schemas.name
        shutil.copytree(self.schemas, copy)
        said = run("git", "apply", EDIT, cwd=copy)
        if said:
            raise ValueError(f"{EDIT.name}: {said}")
        return Binding(copy)
