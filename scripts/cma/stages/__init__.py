# SPDX-License-Identifier: GPL-2.0
"""The stages of check.py."""
