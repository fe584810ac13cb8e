// SPDX-License-Identifier: GPL-2.0
/*
 * The modes shared and exclusive: they decide who uses the pages that no device
 * has. The mode is switched while memory is full and buffers come and go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define NR_SWITCHES	ct_scale(10)
#define NR_THREADS	4

FIXTURE(cma_mode) {
	struct ct_area area;
	struct ct_mem mem;
	long total_kib;		/* MemTotal while the area is shared */
	int fd;
};

FIXTURE_SETUP(cma_mode)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, ct_area_set(&self->area, "mode", "shared"));
	self->total_kib = ct_meminfo_kib("MemTotal");
	memset(&self->mem, 0, sizeof(self->mem));
}

FIXTURE_TEARDOWN(cma_mode)
{
	EXPECT_EQ(0, ct_area_set(&self->area, "mode", "shared"));
	EXPECT_EQ(self->total_kib, ct_meminfo_kib("MemTotal"));
	if (self->mem.addr) {
		EXPECT_EQ(0, ct_mem_verify(&self->mem));
		ct_mem_exit(&self->mem);
	}
	close(self->fd);
}

static bool has_mode(FIXTURE_DATA(cma_mode) *self, const char *mode)
{
	char text[32];

	return !ct_area_get(&self->area, "mode", text, sizeof(text)) &&
	       !strncmp(text, mode, strlen(mode));
}

/* The page allocator has no page of the area, free or in use. */
static void expect_empty(struct __test_metadata *_metadata,
			 FIXTURE_DATA(cma_mode) *self)
{
	EXPECT_EQ(0, ct_area_count(&self->area, CT_KPF_BUDDY, 0));
	EXPECT_EQ(0, ct_area_count(&self->area, CT_KPF_LRU, 0));
}

TEST_F(cma_mode, empties_and_fills)
{
	long area_kib = self->area.nr_pages * (ct_page_size / KIB);

	ASSERT_GT(ct_mem_fill_area(&self->mem, CT_ANON, &self->area), 0);
	ASSERT_EQ(0, ct_area_set(&self->area, "mode", "exclusive"));
	EXPECT_TRUE(has_mode(self, "exclusive"));
	EXPECT_EQ(0, ct_mem_in_area(&self->mem, &self->area));
	EXPECT_EQ(0, ct_mem_verify(&self->mem));
	expect_empty(_metadata, self);
	EXPECT_EQ(self->total_kib - area_kib, ct_meminfo_kib("MemTotal"));

	ASSERT_EQ(0, ct_area_set(&self->area, "mode", "shared"));
	EXPECT_TRUE(has_mode(self, "shared"));
	EXPECT_EQ(self->total_kib, ct_meminfo_kib("MemTotal"));
	/* The page allocator can use the area again. */
	ct_mem_exit(&self->mem);
	EXPECT_GT(ct_mem_fill_area(&self->mem, CT_ANON, &self->area),
		  self->area.nr_pages / 2);
}

/* A buffer in an exclusive area moves no page, however full memory is. */
TEST_F(cma_mode, takes_at_once)
{
	/* The generic DMA code takes single pages from elsewhere. */
	size_t smallest = (ct_dma_generic(self->fd) ? 2 : 1) * ct_page_size;
	struct dma_test_alloc buf;
	struct dma_test_check check;

	ASSERT_EQ(0, ct_area_set(&self->area, "mode", "exclusive"));
	/* The trace buffer needs memory, so it comes before memory is full. */
	ASSERT_TRUE(ct_trace_start());
	ASSERT_EQ(0, ct_mem_fill(&self->mem, CT_ANON));
	expect_empty(_metadata, self);

	for (size_t size = smallest; size <= 16 * MIB; size *= 4) {
		ASSERT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL, 0,
					  &buf));
		EXPECT_TRUE(ct_area_holds(&self->area,
					  buf.dma_addr / ct_page_size));
		ASSERT_EQ(0, ct_dma_check(self->fd, buf.id, &check));
		EXPECT_EQ(check.tested, check.found);
		ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));
	}
	ct_trace_stop();
	expect_empty(_metadata, self);
	/* Opening the trace needs a free block of 32 KiB. */
	EXPECT_EQ(0, ct_mem_verify(&self->mem));
	ct_mem_exit(&self->mem);
	EXPECT_LT(0, ct_trace_count("cma_alloc_finish:", "errorno=0"));
	EXPECT_EQ(0, ct_trace_count("mm_alloc_contig_migrate_range_info:", ""));
}

/* A buffer survives the switch and is freed according to the new mode. */
TEST_F(cma_mode, buffers_outlive_a_switch)
{
	struct dma_test_alloc of_shared, of_exclusive;
	long used = ct_area_debugfs(&self->area, "used");
	size_t size = 3 * MIB + ct_page_size;

	ASSERT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL, 0,
				  &of_shared));
	ASSERT_EQ(0, ct_dma_fill(self->fd, of_shared.id, 1));
	ASSERT_EQ(0, ct_area_set(&self->area, "mode", "exclusive"));
	EXPECT_EQ(0, ct_dma_verify(self->fd, of_shared.id, 1));
	ASSERT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL, 0,
				  &of_exclusive));
	ASSERT_EQ(0, ct_dma_fill(self->fd, of_exclusive.id, 2));
	ASSERT_EQ(0, ct_dma_free(self->fd, of_shared.id));
	expect_empty(_metadata, self);

	ASSERT_EQ(0, ct_area_set(&self->area, "mode", "shared"));
	EXPECT_EQ(0, ct_dma_verify(self->fd, of_exclusive.id, 2));
	ASSERT_EQ(0, ct_dma_free(self->fd, of_exclusive.id));
	EXPECT_EQ(used, ct_area_debugfs(&self->area, "used"));
	/* The page allocator can use the area again. */
	ASSERT_GT(ct_mem_fill_area(&self->mem, CT_ANON, &self->area),
		  self->area.nr_pages / 2);
}

struct worker {
	pthread_t thread;
	atomic_bool *stop;
	size_t max_size;
	unsigned int seed;
	unsigned long nr_allocs;
	unsigned long nr_failed;
	unsigned long nr_corrupt;
};

static void *work(void *arg)
{
	struct worker *me = arg;
	int fd = ct_dma_open();

	while (!atomic_load(me->stop)) {
		struct dma_test_alloc buf;
		size_t size = 1 + rand_r(&me->seed) % me->max_size;

		me->nr_allocs++;
		if (ct_dma_alloc(fd, size, DMA_TEST_KERNEL, 0, &buf)) {
			me->nr_failed++;
			continue;
		}
		me->nr_corrupt += !!ct_dma_fill(fd, buf.id, me->seed);
		me->nr_corrupt += !!ct_dma_verify(fd, buf.id, me->seed);
		me->nr_failed += !!ct_dma_free(fd, buf.id);
	}
	close(fd);
	return NULL;
}

TEST_F(cma_mode, switches_under_load)
{
	struct worker workers[NR_THREADS] = {};
	atomic_bool stop = false;
	unsigned int i;

	ASSERT_GT(ct_mem_fill_area(&self->mem, CT_SHMEM, &self->area), 0);
	for (i = 0; i < NR_THREADS; i++) {
		workers[i].stop = &stop;
		workers[i].seed = i + 1;
		workers[i].max_size = self->area.nr_pages * ct_page_size /
				      (4 * NR_THREADS);
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, work,
					    &workers[i]));
	}
	for (i = 0; i < NR_SWITCHES; i++) {
		EXPECT_EQ(0, ct_area_set(&self->area, "mode", "exclusive"));
		expect_empty(_metadata, self);
		EXPECT_EQ(0, ct_area_set(&self->area, "mode", "shared"));
	}
	atomic_store(&stop, true);
	for (i = 0; i < NR_THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		EXPECT_GT(workers[i].nr_allocs, 0);
		EXPECT_EQ(0, workers[i].nr_failed);
		EXPECT_EQ(0, workers[i].nr_corrupt);
	}
}

/* If one page cannot move, the switch fails and changes nothing. */
TEST_F(cma_mode, failed_switch_changes_nothing)
{
	unsigned long page;
	struct iovec vec;
	int pipes[2];

	ASSERT_GT(ct_mem_fill_area(&self->mem, CT_SHMEM, &self->area), 0);
	for (page = 0; page < self->mem.nr_pages; page++)
		if (self->mem.has_data[page])
			break;
	vec.iov_base = (char *)self->mem.addr + page * ct_page_size;
	vec.iov_len = ct_page_size;
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ((ssize_t)ct_page_size, vmsplice(pipes[1], &vec, 1, 0));
	ASSERT_TRUE(ct_area_holds(&self->area, ct_held_pfn(vec.iov_base)));

	ksft_print_msg("expect-splat: cma: %s: alloc failed\n",
		       self->area.name);
	EXPECT_EQ(-EBUSY, ct_area_set(&self->area, "mode", "exclusive"));
	EXPECT_TRUE(has_mode(self, "shared"));
	EXPECT_EQ(self->total_kib, ct_meminfo_kib("MemTotal"));
	EXPECT_TRUE(ct_area_holds(&self->area, ct_held_pfn(vec.iov_base)));
	close(pipes[0]);
	close(pipes[1]);
	EXPECT_EQ(0, ct_area_set(&self->area, "mode", "exclusive"));
}

TEST_F(cma_mode, refuses_nonsense)
{
	EXPECT_EQ(-EINVAL, ct_area_set(&self->area, "mode", "private"));
	EXPECT_EQ(-EINVAL, ct_area_set(&self->area, "mode", "\n"));
	EXPECT_TRUE(has_mode(self, "shared"));
}

TEST_HARNESS_MAIN
