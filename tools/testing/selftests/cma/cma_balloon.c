// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of a balloon fill the area: memory that a virtual machine has lent
 * back to its host. They move, and the machine gets back all it has lent.
 *
 * Only the host can change the size of the balloon. The test asks for it with
 * the line "host: balloon KIB", which scripts/cma/lab/monitor.py reads.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_kinds_lib.h"

#define NR_TURNS	6
#define WAIT_MS		120000
#define LOOK_MS		10
#define SETTLE_MS	200
#define REPORT_S	6
#define KPF_OFFLINE	(1ULL << 23)

FIXTURE(cma_balloon) {
	struct ct_area area;
	long size_kib;			/* of the full balloon */
	long total_kib;			/* MemTotal without a balloon */
	int fd;
};

/*
 * Must not be called while the balloon changes its size. QEMU's boards trigger
 * the interrupt of virtio-mmio by an edge. If a new size arrives between the
 * handler's read and its acknowledgment, there is no edge, and no later
 * interrupt either. So the test waits until the balloon has settled before it
 * asks, and until the balloon has begun before it moves pages.
 */
static void ask_for(long kib)
{
	printf("# host: balloon %ld KiB\n", kib);
	fflush(stdout);
}

/* MemTotal does not count the pages in the balloon. */
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

/* Grows the balloon while nearly all free memory lies in the area. */
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
	/* The driver had three quarters, so at most nr_left pages stayed. */
	EXPECT_GE(nr_moved, nr_in - nr_left);
	EXPECT_EQ(self->total_kib - self->size_kib, ct_meminfo_kib("MemTotal"));
	ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area));
}

/* The balloon's driver cannot move pages while it holds the balloon's lock. */
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

/*
 * The balloon's driver reports free pages to the host, two seconds after some
 * became free. They are on no list until the host has answered.
 */
TEST_F(cma_balloon, while_free_pages_are_reported)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area));
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < start.tv_sec + REPORT_S);
}

TEST_HARNESS_MAIN
