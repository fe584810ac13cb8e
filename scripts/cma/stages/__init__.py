# SPDX-License-Identifier: GPL-2.0
"""The stages of check.py. They run in the order in which they are registered: that
of these modules, then that of their functions."""

import importlib

for _name in ("source", "virt", "declared", "use", "variants", "wide", "kernels",
              "boards", "files", "messages", "newest", "kernel_tests", "whole"):
    importlib.import_module(f"stages.{_name}")
