// SPDX-License-Identifier: GPL-2.0
/*
 * Measures page faults of anonymous memory, and their unmap, for
 * scripts/cma/measure/hot.py. Prints thousandths of a nanosecond a page.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "bench_place.h"

#define NR_TURNS	8	/* interrupts are in some of them */

static uint64_t less(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* sizes: the memory that a program uses for the first time. */
static void run_fault(const size_t *sizes, int nr_sizes)
{
	uint64_t fault_ns = UINT64_MAX, unmap_ns = UINT64_MAX, start, middle;
	size_t at, size = sizes[0], nr_pages = size / ct_page_size;
	char *data;
	int turn;

	for (turn = 0; turn < NR_TURNS; turn++) {
		data = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (data == MAP_FAILED)
			die("mmap: %s", strerror(errno));
		start = now_ns();
		for (at = 0; at < size; at += ct_page_size)
			data[at] = 1;
		middle = now_ns();
		munmap(data, size);
		unmap_ns = less(unmap_ns, now_ns() - middle);
		fault_ns = less(fault_ns, middle - start);
	}
	report("fault", fault_ns * 1000 / nr_pages);
	report("unmap", unmap_ns * 1000 / nr_pages);
}

const struct kind fault_kinds[] = {
	{ .name = "fault", .run = run_fault, .nr_sizes = 1, .no_area = true },
	{}
};
