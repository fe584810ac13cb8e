# SPDX-License-Identifier: GPL-2.0
"""Areas of the device tree and the schemas of dt-schema."""

import unittest
from unittest import mock

from stages import binding
from tests.case import Case
from trees import debian


class Unknown(unittest.TestCase):
    def test_properties_that_no_schema_knows(self):
        said = ("/t.dtb: vault: Unevaluated properties are not allowed "
                "('reclaim-latency-us' was unexpected)\n"
                "/t.dtb: pool: Unevaluated properties are not allowed "
                "('linux,cma-fit' was unexpected)\n"
                "/t.dtb: /: 'model' is a required property")
        self.assertEqual(binding.unknown(said), {"reclaim-latency-us", "linux,cma-fit"})
        self.assertEqual(binding.unknown(""), set())


class Edit(Case):
    """It fits exactly, or somebody is told."""

    def edited(self, text):
        """The schemas that have this text, with the edit."""
        folder = self.folder({"reserved-memory/reserved-memory.yaml": text})
        return binding.Binding(folder / "reserved-memory").edited(folder)

    def test_it_adds_the_property(self):
        lines = binding.EDIT.read_text().splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("@@"))
        start = int(lines[at].split()[1][1:].split(",")[0])
        before = [line[1:] for line in lines[at + 1:] if line[:1] in " -"]
        text = "# above\n" * (start - 1) + "\n".join(before) + "\n"
        self.assertIn(f"  {binding.PROPERTY}:\n",
                      (self.edited(text).schemas / "reserved-memory.yaml").read_text())

    def test_schemas_it_does_not_fit(self):
        with self.assertRaises(ValueError):
            self.edited("properties: {}\n")


class Fetch(unittest.TestCase):
    def test_the_mirror_of_packages(self):
        said = ("http://mirror/debian-security/ bookworm-security\n"
                "http://mirror/debian/ bookworm\n"
                "http://mirror/debian/ bookworm-updates\n")
        with mock.patch("trees.debian.run", side_effect=[said, ""]):
            self.assertEqual(debian.mirror(), "http://mirror/debian/")
            with self.assertRaises(debian.Unavailable):
                debian.mirror()

    def test_what_went_wrong_is_said(self):
        with self.assertRaisesRegex(debian.Unavailable, "no such thing"):
            debian.run("sh", "-c", "echo first; echo no such thing; exit 1")
