// SPDX-License-Identifier: GPL-2.0
/*
 * Memory goes offline and comes back. Blocks of memory that an area lies in
 * stay, shared or exclusive. Others go, with what they hold, some of it into the
 * area, and drivers get the area's memory as before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_kinds_lib.h"

#define BLOCKS		"/sys/devices/system/memory/"
#define NR_TURNS	2
#define OFFLINE_S	30

FIXTURE(cma_hotplug) {
	struct ct_area area;
	unsigned long block_pages;
	unsigned long nr_blocks;	/* one behind the last */
	int fd;
};

static unsigned long block_pages(void)
{
	FILE *file = fopen(BLOCKS "block_size_bytes", "r");
	unsigned long size = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lx", &size) != 1)
		size = 0;
	fclose(file);
	return size / ct_page_size;
}

static void block_path(char *path, size_t size, unsigned long block)
{
	snprintf(path, size, BLOCKS "memory%lu/state", block);
}

static bool block_exists(unsigned long block)
{
	char path[80];

	block_path(path, sizeof(path), block);
	return !access(path, W_OK);
}

static void on_alarm(int nr)
{
}

/*
 * The kernel tries to empty a block until it gets a signal: a page in it may be
 * held for long. Returns 0 or -errno.
 */
static int block_set(unsigned long block, const char *state)
{
	char path[80];
	int err;

	block_path(path, sizeof(path), block);
	alarm(OFFLINE_S);
	err = ct_write(path, state);
	alarm(0);
	return err;
}

/* Does a page of the area lie in the block? */
static bool block_has_area(const FIXTURE_DATA(cma_hotplug) *self,
			   unsigned long block)
{
	unsigned long pfn = block * self->block_pages;
	unsigned long end_pfn = pfn + self->block_pages;

	while (pfn < end_pfn && !ct_area_holds(&self->area, pfn))
		pfn++;
	return pfn < end_pfn;
}

FIXTURE_SETUP(cma_hotplug)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	unsigned long last = 0, block;

	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	self->block_pages = block_pages();
	if (!self->block_pages)
		SKIP(return, "no memory hotplug");
	/* Holes in between have no block. */
	for (block = 0; block < last + 1024; block++)
		if (block_exists(block))
			last = block;
	self->nr_blocks = last + 1;
}

FIXTURE_TEARDOWN(cma_hotplug)
{
	ct_area_set(&self->area, "mode", "shared");
	close(self->fd);
}

/* Expects that no block of the area goes offline. Returns how many there are. */
static unsigned int expect_refusal(struct __test_metadata *_metadata,
				   const FIXTURE_DATA(cma_hotplug) *self)
{
	unsigned int nr = 0;
	unsigned long block;

	for (block = 0; block < self->nr_blocks; block++) {
		if (!block_exists(block) || !block_has_area(self, block))
			continue;
		EXPECT_GT(0, block_set(block, "offline")) {
			TH_LOG("block %lu is offline", block);
			block_set(block, "online");
		}
		nr++;
	}
	return nr;
}

TEST_F(cma_hotplug, blocks_of_areas_stay)
{
	EXPECT_GT(expect_refusal(_metadata, self), 0);
	ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area));
	ASSERT_EQ(0, ct_area_set(&self->area, "mode", "exclusive"));
	EXPECT_GT(expect_refusal(_metadata, self), 0);
	ASSERT_EQ(0, ct_area_set(&self->area, "mode", "shared"));
	ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area));
}

TEST_F(cma_hotplug, others_go_and_come_back)
{
	long total_kib = ct_meminfo_kib("MemTotal");
	unsigned int nr_gone = 0;
	unsigned long block;
	struct ct_mem mem;

	ASSERT_EQ(0, ct_mem_init(&mem, CT_ANON,
				 total_kib * KIB / 2 / ct_page_size));
	ct_mem_write(&mem, 0, mem.nr_pages);
	for (block = 0; block < self->nr_blocks && nr_gone < NR_TURNS;
	     block++) {
		if (!block_exists(block) || block_has_area(self, block) ||
		    block_set(block, "offline"))
			continue;
		nr_gone++;
		TH_LOG("block %lu is offline, %lu pages in the area", block,
		       ct_mem_in_area(&mem, &self->area));
		EXPECT_GT(total_kib, ct_meminfo_kib("MemTotal"));
		EXPECT_EQ(0, ct_mem_verify(&mem));
		EXPECT_EQ(0, ct_dma_take_most(self->fd, &self->area));
		ASSERT_EQ(0, block_set(block, "online"));
		EXPECT_EQ(total_kib, ct_meminfo_kib("MemTotal"));
		EXPECT_EQ(0, ct_dma_take_most(self->fd, &self->area));
		EXPECT_EQ(0, ct_mem_verify(&mem));
	}
	ct_mem_exit(&mem);
	if (!nr_gone)
		SKIP(return, "no block of memory goes offline");
}

TEST_HARNESS_MAIN
