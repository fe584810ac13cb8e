// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of a balloon fill the area: memory that a virtual machine has lent
 * back to its host. They move, and the machine gets back all it has lent.
 *
 * How large a balloon is, only the host can say. It is asked by a line of
 * output, "host: balloon KIB", which scripts/cma/monitor.py understands.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_kinds_lib.h"

#define NR_TURNS	6
#define WAIT_MS		120000
#define LOOK_MS		10
#define SETTLE_MS	200
#define KPF_OFFLINE	(1ULL << 23)

FIXTURE(cma_balloon) {
	struct ct_area area;
	long size_kib;			/* of the balloon, when it is full */
	long total_kib;			/* memory without a balloon */
	int fd;
};

/*
 * Not while the balloon is at work: the interrupt of virtio-mmio is triggered by
 * an edge in QEMU's boards. One that tells of a new size between the moment in
 * which the handler reads what the last one was about and that in which it says
 * so has no edge, nor has any that follows. So nothing is asked for before it is
 * settled, and nothing is moved before it has begun.
 */
static void ask_for(long kib)
{
	printf("# host: balloon %ld KiB\n", kib);
	fflush(stdout);
}

/* What is in the balloon is no memory of this system's. */
static bool wait_for(struct __test_metadata *_metadata,
		     const FIXTURE_DATA(cma_balloon) *self, long kib)
{
	int ms;

	for (ms = 0; ms < WAIT_MS; ms += LOOK_MS) {
		if (ct_meminfo_kib("MemTotal") == self->total_kib - kib) {
			usleep(SETTLE_MS * 1000);
			return true;
		}
		usleep(LOOK_MS * 1000);
	}
	TH_LOG("MemTotal is %ld KiB, %ld less %ld expected",
	       ct_meminfo_kib("MemTotal"), self->total_kib, kib);
	return false;
}

static void wait_for_begin(long total_kib)
{
	int ms;

	for (ms = 0; ms < WAIT_MS; ms++) {
		if (ct_meminfo_kib("MemTotal") != total_kib)
			break;
		usleep(1000);
	}
}

FIXTURE_SETUP(cma_balloon)
{
	if (!getenv("CMA_TEST_HOST"))
		SKIP(return, "no host that does what it is asked for");
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	self->total_kib = ct_meminfo_kib("MemTotal");
	self->size_kib = self->area.nr_pages / 2 * ct_page_size / KIB;
}

FIXTURE_TEARDOWN(cma_balloon)
{
	ask_for(0);
	EXPECT_TRUE(wait_for(_metadata, self, 0));
	EXPECT_EQ(0, ct_area_count(&self->area, KPF_OFFLINE, 0));
	close(self->fd);
}

/* The balloon grows while memory is free in the area and hardly elsewhere. */
static void fill(struct __test_metadata *_metadata,
		 FIXTURE_DATA(cma_balloon) *self)
{
	struct ct_mem mem;

	ASSERT_EQ(0, ct_area_count(&self->area, KPF_OFFLINE, 0));
	ASSERT_EQ(0, ct_mem_fill_outside(&mem, CT_ANON, &self->area));
	ask_for(self->size_kib);
	ASSERT_TRUE(wait_for(_metadata, self, self->size_kib));
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);
}

TEST_F(cma_balloon, moves)
{
	long nr_in, nr_moved, nr_left = self->area.nr_pages / 4;

	fill(_metadata, self);
	nr_in = ct_area_count(&self->area, KPF_OFFLINE, 0);
	ASSERT_GT(nr_in, nr_left);

	nr_moved = ct_vmstat("balloon_migrate");
	ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area));
	nr_moved = ct_vmstat("balloon_migrate") - nr_moved;
	TH_LOG("%ld pages of the balloon in the area, %ld moved", nr_in,
	       nr_moved);
	/* Three quarters were a driver's: there was room for no more of them. */
	EXPECT_GE(nr_moved, nr_in - nr_left);
	EXPECT_EQ(self->total_kib - self->size_kib, ct_meminfo_kib("MemTotal"));
	ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area));
}

/* Its driver moves nothing in the moments in which it has the balloon's lock. */
TEST_F(cma_balloon, while_it_grows_and_shrinks)
{
	int turn;

	fill(_metadata, self);
	for (turn = 0; turn < NR_TURNS; turn++) {
		long kib = turn % 2 ? self->size_kib : 0;
		long total_kib = ct_meminfo_kib("MemTotal");

		ask_for(kib);
		wait_for_begin(total_kib);
		ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area)) {
			TH_LOG("turn %d", turn);
		}
		ASSERT_TRUE(wait_for(_metadata, self, kib));
	}
}

TEST_HARNESS_MAIN
