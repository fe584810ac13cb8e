/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ahead of every source of two kernels that have to be the same: WARN() and
 * BUG() pass the numbers of their lines, which an edit above them moves. Some
 * names are made of them, so that they have to differ.
 */
#ifndef LINKER_SCRIPT
#pragma GCC system_header	/* or there is a warning */
#define __LINE__ __COUNTER__
#endif
