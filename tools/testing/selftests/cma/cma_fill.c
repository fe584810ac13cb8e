// SPDX-License-Identifier: GPL-2.0
/*
 * Ordinary memory runs short while an area is free. Programs move into the
 * area, and none of their data go to swap or get lost.
 *
 * Pipes hold the memory that cannot use areas: the kernel does not move it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define PIPES_MAX	4000

/* Pipes that are full of data, 1 MiB each. */
struct pipes {
	int fds[PIPES_MAX][2];
	unsigned int nr;
};

static int pipes_add(struct pipes *pipes)
{
	static char data[64 * KIB];
	int *fds = pipes->fds[pipes->nr];
	size_t written;

	if (pipes->nr == PIPES_MAX || pipe2(fds, O_NONBLOCK | O_CLOEXEC))
		return -errno;
	pipes->nr++;
	if (fcntl(fds[1], F_SETPIPE_SZ, MIB) < 0)
		return -errno;
	for (written = 0; written < MIB; written += sizeof(data))
		if (write(fds[1], data, sizeof(data)) != sizeof(data))
			return -errno;
	return 0;
}

static void pipes_free(struct pipes *pipes)
{
	while (pipes->nr) {
		pipes->nr--;
		close(pipes->fds[pipes->nr][0]);
		close(pipes->fds[pipes->nr][1]);
	}
}

/* Free memory outside of areas. */
static long outside_mib(void)
{
	return (ct_meminfo_kib("MemFree") - ct_meminfo_kib("CmaFree")) / 1024;
}

FIXTURE(cma_fill) {
	struct ct_area area;
	struct pipes pipes;
};

FIXTURE_SETUP(cma_fill)
{
	struct rlimit limit = { 2 * PIPES_MAX + 64, 2 * PIPES_MAX + 64 };

	ct_init(&self->area);
	self->pipes.nr = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
}

FIXTURE_TEARDOWN(cma_fill)
{
	pipes_free(&self->pipes);
}

TEST_F(cma_fill, programs_move_in)
{
	long pswpout, oom_kill, moved, nr_mib, high_mib;
	unsigned long nr_pages, nr_in;
	struct ct_mem filler, mem;

	if (ct_meminfo_kib("HighTotal") > 0)
		SKIP(return, "pipes use high memory, where no area is");
	if (outside_mib() > PIPES_MAX / 2)
		SKIP(return, "too much memory to use it up");

	/* Nothing of the program fits into the area until the filler is gone. */
	ASSERT_GT(ct_mem_fill_area(&filler, CT_ANON, &self->area), 0);
	nr_pages = self->area.nr_pages / 2;
	if ((long)(nr_pages * ct_page_size / MIB) > outside_mib() / 2)
		nr_pages = outside_mib() / 2 * MIB / ct_page_size;
	high_mib = ct_zone_sum("high") * ct_page_size / MIB;
	if ((long)(nr_pages * ct_page_size / MIB) / 2 <= high_mib)
		SKIP(return, "the area is small beside the watermarks");
	ASSERT_EQ(0, ct_mem_init(&mem, CT_ANON, nr_pages));
	ct_mem_write(&mem, 0, nr_pages);
	ct_mem_exit(&filler);
	nr_in = ct_mem_in_area(&mem, &self->area);
	ASSERT_LT(nr_in, nr_pages / 2);

	pswpout = ct_vmstat("pswpout");
	oom_kill = ct_vmstat("oom_kill");
	moved = ct_vmstat("cma_fill_moved");
	nr_mib = outside_mib() + (long)(nr_pages * ct_page_size / MIB) / 2 -
		 high_mib;
	while (nr_mib--)
		ASSERT_EQ(0, pipes_add(&self->pipes));

	EXPECT_GT(ct_mem_in_area(&mem, &self->area), nr_in);
	EXPECT_GT(ct_vmstat("cma_fill_moved"), moved);
	EXPECT_EQ(pswpout, ct_vmstat("pswpout"));
	EXPECT_EQ(oom_kill, ct_vmstat("oom_kill"));
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);
}

TEST_HARNESS_MAIN
