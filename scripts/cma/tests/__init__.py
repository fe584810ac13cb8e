# SPDX-License-Identifier: GPL-2.0
"""The scripts' own tests: python3 -m unittest tests.test_NAME, or check.py --only host."""
