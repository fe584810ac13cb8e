// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that are linked with this file run without headroom in any area.
 * Other tests had buffers a moment ago, and programs are to fill areas all the
 * same; cma_headroom tests what the kernel leaves to drivers. Programs that
 * measure are not linked with it.
 */
#include "cma_test_lib.h"

static __attribute__((constructor)) void start_without_headroom(void)
{
	ct_end_headroom();
}
