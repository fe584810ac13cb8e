// SPDX-License-Identifier: GPL-2.0
/*
 * Many threads allocate, fill, verify and free at the same time, while a file
 * is read into the area. No buffers may overlap, no request may fail while half
 * of the area suffices, and all pages must be freed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define DURATION_S	10
#define MAX_THREADS	32
#define BUFS		4	/* buffers of a thread at a time */
#define MIN_ALLOCS	8	/* of a thread, even on a slow machine */

struct worker {
	pthread_t thread;
	int fd;
	unsigned int seed;
	unsigned long max_pages;	/* of one buffer */
	time_t end_s;
	unsigned long nr_allocs;
	unsigned long nr_failed;
	unsigned long nr_corrupt;
	unsigned long nr_misplaced;	/* check of the page tables failed */
};

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* All orders of magnitude are about equally likely. */
static size_t random_size(struct worker *me)
{
	unsigned long pages = me->max_pages;

	while (pages > 1 && rand_r(&me->seed) % 3)
		pages /= 2;
	return (1 + rand_r(&me->seed) % pages) * ct_page_size;
}

static void verify_and_free(struct worker *me, uint32_t id, uint32_t fill)
{
	if (ct_dma_verify(me->fd, id, fill))
		me->nr_corrupt++;
	if (ct_dma_free(me->fd, id))
		me->nr_failed++;
}

static void *work(void *arg)
{
	struct dma_test_alloc bufs[BUFS] = {};
	struct dma_test_check check;
	struct worker *me = arg;
	uint32_t fills[BUFS];
	int i;

	while (now_s() < me->end_s || me->nr_allocs < MIN_ALLOCS) {
		i = rand_r(&me->seed) % BUFS;
		if (bufs[i].id) {
			verify_and_free(me, bufs[i].id, fills[i]);
			bufs[i].id = 0;
			continue;
		}
		if (ct_dma_alloc(me->fd, random_size(me), DMA_TEST_KERNEL, 0,
				 &bufs[i])) {
			bufs[i].id = 0;
			me->nr_failed++;
			continue;
		}
		if (!(me->nr_allocs++ % 8) &&
		    (ct_dma_check(me->fd, bufs[i].id, &check) ||
		     check.found != check.tested))
			me->nr_misplaced++;
		fills[i] = rand_r(&me->seed);
		ct_dma_fill(me->fd, bufs[i].id, fills[i]);
	}
	for (i = 0; i < BUFS; i++)
		if (bufs[i].id)
			verify_and_free(me, bufs[i].id, fills[i]);
	return NULL;
}

struct reader {
	pthread_t thread;
	const char *path;
	time_t end_s;
};

static void *read_on(void *arg)
{
	struct reader *me = arg;
	off_t offset = 0;

	while (now_s() < me->end_s && !ct_read_on(me->path, &offset, MIB, 0))
		;
	return NULL;
}

FIXTURE(cma_concurrent) {
	struct ct_area area;
	long used;
	int fd;
};

FIXTURE_VARIANT(cma_concurrent) {
	int nr_threads;
};

FIXTURE_VARIANT_ADD(cma_concurrent, four) { .nr_threads = 4 };
FIXTURE_VARIANT_ADD(cma_concurrent, thirty_two) { .nr_threads = 32 };

FIXTURE_SETUP(cma_concurrent)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	self->used = ct_area_debugfs(&self->area, "used");
}

FIXTURE_TEARDOWN(cma_concurrent)
{
	close(self->fd);
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
}

static void run(struct __test_metadata *_metadata,
		FIXTURE_DATA(cma_concurrent) *self, int nr_threads)
{
	static struct worker workers[MAX_THREADS];
	time_t end_s = now_s() + ct_scale(10 * DURATION_S) / 10;
	struct worker sum = {};
	struct reader reader = { .path = ct_big_file(), .end_s = end_s };
	int i;

	if (reader.path)
		ASSERT_EQ(0, pthread_create(&reader.thread, NULL, read_on,
					    &reader));
	for (i = 0; i < nr_threads; i++) {
		workers[i] = (struct worker){
			.fd = self->fd,
			.seed = i + 1,
			.end_s = end_s,
			/* All threads together need half of the area. */
			.max_pages = self->area.nr_pages / 2 / nr_threads /
				     BUFS,
		};
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, work,
					    &workers[i]));
	}
	for (i = 0; i < nr_threads; i++) {
		pthread_join(workers[i].thread, NULL);
		sum.nr_allocs += workers[i].nr_allocs;
		sum.nr_failed += workers[i].nr_failed;
		sum.nr_corrupt += workers[i].nr_corrupt;
		sum.nr_misplaced += workers[i].nr_misplaced;
	}
	if (reader.path)
		pthread_join(reader.thread, NULL);
	TH_LOG("%d threads: %lu buffers", nr_threads, sum.nr_allocs);
	EXPECT_EQ(0, sum.nr_failed);
	EXPECT_EQ(0, sum.nr_corrupt);
	EXPECT_EQ(0, sum.nr_misplaced);
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
}

TEST_F(cma_concurrent, free_area)
{
	ct_drop_caches();
	run(_metadata, self, variant->nr_threads);
}

/* The area is full of a program's data at the start. */
TEST_F(cma_concurrent, full_area)
{
	struct ct_mem mem;

	ASSERT_GT(ct_mem_fill_area(&mem, CT_ANON, &self->area), 0);
	run(_metadata, self, variant->nr_threads);
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);
}

TEST_HARNESS_MAIN
