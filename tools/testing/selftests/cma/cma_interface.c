// SPDX-License-Identifier: GPL-2.0
/*
 * The files and events that scripts read: each exists and uses its own unit,
 * and they agree with each other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

FIXTURE(cma_interface) {
	struct ct_area area;
	int fd;
};

FIXTURE_SETUP(cma_interface)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(cma_interface)
{
	close(self->fd);
}

/* Counts the set bits of the bitmap in debugfs: decimal words of 32 bits. */
static long bitmap_weight(const struct ct_area *area)
{
	FILE *file = ct_area_open(area, "bitmap");
	unsigned int word;
	long weight = 0;

	if (!file)
		return -1;
	while (fscanf(file, "%u", &word) == 1)
		weight += __builtin_popcount(word);
	fclose(file);
	return weight;
}

TEST_F(cma_interface, debugfs)
{
	struct ct_area *area = &self->area;
	long used = ct_area_debugfs(area, "used");
	long maxchunk = ct_area_debugfs(area, "maxchunk");
	long order = ct_area_debugfs(area, "order_per_bit");

	EXPECT_GT(area->base_pfn, 0);
	ASSERT_GE(order, 0);
	EXPECT_EQ(used >> order, bitmap_weight(area));
	EXPECT_GT(maxchunk, 0);
	EXPECT_LE(maxchunk, (long)area->nr_pages - used);
}

/* A write to alloc or free takes a page count and changes used by it. */
TEST_F(cma_interface, debugfs_alloc)
{
	struct ct_area *area = &self->area;
	long used = ct_area_debugfs(area, "used");
	long order = ct_area_debugfs(area, "order_per_bit");

	ASSERT_EQ(0, ct_area_write(area, "alloc", 300));
	EXPECT_EQ(used + 300, ct_area_debugfs(area, "used"));
	ASSERT_EQ(0, ct_area_write(area, "alloc", 5));
	EXPECT_EQ(used + 305, ct_area_debugfs(area, "used"));
	EXPECT_EQ((used + 305) >> order, bitmap_weight(area));

	ASSERT_EQ(0, ct_area_write(area, "free", 105));
	EXPECT_EQ(used + 200, ct_area_debugfs(area, "used"));
	ASSERT_EQ(0, ct_area_write(area, "free", 200));
	EXPECT_EQ(used, ct_area_debugfs(area, "used"));
	EXPECT_EQ(used >> order, bitmap_weight(area));

	EXPECT_EQ(-ENOMEM, ct_area_write(area, "alloc", area->nr_pages + 1));
	EXPECT_EQ(used, ct_area_debugfs(area, "used"));
}

/* The bitmap shows the pages of a driver, and maxchunk shrinks. */
TEST_F(cma_interface, bitmap)
{
	struct ct_area *area = &self->area;
	long order = ct_area_debugfs(area, "order_per_bit");
	long maxchunk = ct_area_debugfs(area, "maxchunk");
	long nr_pages = maxchunk * 3 / 4;
	long weight = bitmap_weight(area);
	struct dma_test_alloc buf;

	nr_pages &= ~((1L << order) - 1);
	ASSERT_EQ(0, ct_dma_alloc(self->fd, nr_pages * ct_page_size,
				  DMA_TEST_KERNEL, 0, &buf));
	EXPECT_EQ(weight + (nr_pages >> order), bitmap_weight(area));
	EXPECT_LT(ct_area_debugfs(area, "maxchunk"), maxchunk);
	ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));
	EXPECT_EQ(weight, bitmap_weight(area));
	EXPECT_EQ(maxchunk, ct_area_debugfs(area, "maxchunk"));
}

/* sysfs counts pages, vmstat counts calls. */
TEST_F(cma_interface, counters)
{
	struct ct_area *area = &self->area;
	long good = ct_area_sysfs(area, "alloc_pages_success");
	long bad = ct_area_sysfs(area, "alloc_pages_fail");
	long back = ct_area_sysfs(area, "release_pages_success");
	long room = ct_area_sysfs(area, "available_pages");
	long calls = ct_vmstat("cma_alloc_success");
	long failed = ct_vmstat("cma_alloc_fail");
	struct dma_test_alloc buf;
	long nr_busy;
	int i;

	ASSERT_GE(good, 0);
	ASSERT_GE(bad, 0);
	ASSERT_GE(back, 0);
	ASSERT_GE(calls, 0);
	ASSERT_GE(failed, 0);

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, ct_dma_alloc(self->fd, 7 * ct_page_size,
					  DMA_TEST_KERNEL, 0, &buf));
		ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));
	}
	EXPECT_EQ(good + 21, ct_area_sysfs(area, "alloc_pages_success"));
	EXPECT_EQ(back + 21, ct_area_sysfs(area, "release_pages_success"));
	EXPECT_EQ(calls + 3, ct_vmstat("cma_alloc_success"));

	/* The request fits into the area, but not beside the first buffer. */
	EXPECT_EQ(area->nr_pages, ct_area_sysfs(area, "total_pages"));
	nr_busy = area->nr_pages / 2;
	ASSERT_EQ(0, ct_dma_alloc(self->fd, nr_busy * ct_page_size,
				  DMA_TEST_KERNEL, 0, &buf));
	EXPECT_EQ(room - nr_busy, ct_area_sysfs(area, "available_pages"));
	nr_busy = area->nr_pages - nr_busy / 2;
	EXPECT_EQ(-ENOMEM, ct_dma_alloc(self->fd, nr_busy * ct_page_size,
					DMA_TEST_KERNEL, DMA_TEST_NO_WARN,
					&buf));
	EXPECT_EQ(bad + nr_busy, ct_area_sysfs(area, "alloc_pages_fail"));
	EXPECT_EQ(failed + 1, ct_vmstat("cma_alloc_fail"));
	EXPECT_EQ(calls + 4, ct_vmstat("cma_alloc_success"));
}

/* cma_release() works in any context, unlike the DMA API, which may sleep. */
TEST_F(cma_interface, releases_anywhere)
{
	static const unsigned long sizes[] = { 1, 300, 3000 };
	struct ct_area *area = &self->area;
	long used = ct_area_debugfs(area, "used");
	long held = ct_area_held(area);
	unsigned int i;

	for (i = 0; i < 3 * DMA_TEST_NR_RELEASES; i++) {
		long back = ct_area_sysfs(area, "release_pages_success");
		struct dma_test_raw raw = {
			.nr_pages = sizes[i % 3], .release = i / 3,
		};

		ASSERT_EQ(0, ioctl(self->fd, DMA_TEST_IOC_RAW, &raw)) {
			TH_LOG("%lu pages, release %u: %s", sizes[i % 3],
			       raw.release, strerror(errno));
		}
		EXPECT_TRUE(ct_area_holds(area, raw.pfn));
		EXPECT_EQ(used, ct_area_debugfs(area, "used"));
		EXPECT_EQ(held, ct_area_held(area));
		EXPECT_EQ(back + (long)sizes[i % 3],
			  ct_area_sysfs(area, "release_pages_success"));
	}
}

TEST_F(cma_interface, totals)
{
	char type[32], line[256];
	long total = 0, value;
	bool row = false;
	FILE *file;

	EXPECT_GE(ct_meminfo_kib("CmaTotal"),
		  (long)(self->area.nr_pages * ct_page_size / KIB));
	EXPECT_LE(ct_meminfo_kib("CmaFree"), ct_meminfo_kib("CmaTotal"));

	file = fopen("/proc/zoneinfo", "r");
	ASSERT_TRUE(!!file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " cma %ld", &value) == 1)
			total += value;
	fclose(file);
	EXPECT_EQ(ct_meminfo_kib("CmaTotal"),
		  (long)(total * ct_page_size / KIB));

	file = fopen("/proc/pagetypeinfo", "r");
	ASSERT_TRUE(!!file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Node %*d, zone %*[^,], type %31s", type) == 1)
			row |= !strcmp(type, "CMA");
	fclose(file);
	EXPECT_TRUE(row);
}

TEST_F(cma_interface, events)
{
	char name[80], request[32], total[40], at[32];
	struct dma_test_alloc buf;
	struct ct_mem mem;

	/* A full area makes sure that the request migrates pages. */
	ASSERT_GT(ct_mem_fill_area(&mem, CT_ANON, &self->area), 0);
	ASSERT_TRUE(ct_trace_start());
	ASSERT_EQ(0, ct_dma_alloc(self->fd, 3 * MIB, DMA_TEST_KERNEL, 0, &buf));
	ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));
	ct_trace_stop();
	ct_mem_exit(&mem);

	snprintf(name, sizeof(name), "name=%s ", self->area.name);
	/* Newer kernels have request_count, and say what the area has. */
	snprintf(request, sizeof(request), "count=%lu ",
		 3 * MIB / ct_page_size);
	snprintf(total, sizeof(total), "total_count=%lu align=",
		 self->area.nr_pages);
	snprintf(at, sizeof(at), "pfn=0x%llx ",
		 (unsigned long long)(buf.dma_addr / ct_page_size));
	EXPECT_EQ(1, ct_trace_count("cma_alloc_start:", name));
	EXPECT_EQ(1, ct_trace_count("cma_alloc_start:", request));
	EXPECT_EQ(ct_trace_count("cma_alloc_start:", "total_count="),
		  ct_trace_count("cma_alloc_start:", total));
	EXPECT_EQ(1, ct_trace_count("cma_alloc_finish:", at));
	EXPECT_EQ(1, ct_trace_count("cma_alloc_finish:", "errorno=0"));
	EXPECT_EQ(1, ct_trace_count("cma_release:", at));
	EXPECT_EQ(1, ct_trace_count("cma_release:", name));
	if (!ct_trace_counts_moved())
		return;
	EXPECT_GE(ct_trace_count("mm_alloc_contig_migrate_range_info:",
				 "nr_migrated="), 1);
	EXPECT_LT(ct_trace_count("mm_alloc_contig_migrate_range_info:",
				 "nr_migrated=0 "),
		  ct_trace_count("mm_alloc_contig_migrate_range_info:", ""));
}

/* Every start event has a finish event, which has the error of a failure. */
TEST_F(cma_interface, events_of_failures)
{
	unsigned long nr_pages = self->area.nr_pages;
	struct dma_test_alloc buf;

	ASSERT_TRUE(ct_trace_start());
	ASSERT_EQ(0, ct_dma_alloc(self->fd, nr_pages / 2 * ct_page_size,
				  DMA_TEST_KERNEL, 0, &buf));
	EXPECT_EQ(-ENOMEM, ct_dma_alloc(self->fd,
					nr_pages * 3 / 4 * ct_page_size,
					DMA_TEST_KERNEL, DMA_TEST_NO_WARN,
					&buf));
	EXPECT_EQ(-ENOMEM, ct_dma_alloc(self->fd, (nr_pages + 1) * ct_page_size,
					DMA_TEST_KERNEL, DMA_TEST_NO_WARN,
					&buf));
	ct_trace_stop();
	EXPECT_EQ(3, ct_trace_count("cma_alloc_start:", ""));
	EXPECT_EQ(3, ct_trace_count("cma_alloc_finish:", ""));
	EXPECT_EQ(1, ct_trace_count("cma_alloc_finish:", "errorno=0"));
	EXPECT_EQ(2, ct_trace_count("cma_alloc_finish:", "errorno=-"));
}

TEST_HARNESS_MAIN
