# SPDX-License-Identifier: GPL-2.0
"""Boards under QEMU: what they run, how they boot, and what becomes of it."""
