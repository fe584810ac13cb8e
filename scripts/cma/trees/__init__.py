# SPDX-License-Identifier: GPL-2.0
"""The three trees (base, bare, cma) and the way between them and the repository."""
