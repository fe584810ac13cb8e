# SPDX-License-Identifier: GPL-2.0
"""What is measured, the figures that come of it, and how they are shown."""
