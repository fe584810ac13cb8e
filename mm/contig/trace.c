// SPDX-License-Identifier: GPL-2.0
/*
 * The events of the range allocator; evacuate.c and contig.c raise them.
 */
#include "contig.h"

#define CREATE_TRACE_POINTS
#include <trace/events/contig.h>
