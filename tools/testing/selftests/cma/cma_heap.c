// SPDX-License-Identifier: GPL-2.0
/*
 * The dma-buf heaps of the areas give zeroed contiguous buffers to user space.
 * The default area has a heap with its own name and a heap with a fixed name.
 * An area that is declared with the option has a heap, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_areas.h"
#include "cma_test_lib.h"

#define HEAPS		"/dev/dma_heap"
#define DEFAULT_HEAP	"default_cma_region"

FIXTURE(cma_heap) {
	struct ct_area area;
	long used;
};

FIXTURE_SETUP(cma_heap)
{
	ct_init(&self->area);
	if (access(HEAPS, F_OK))
		SKIP(return, "no " HEAPS);
	self->used = ct_area_debugfs(&self->area, "used");
}

FIXTURE_TEARDOWN(cma_heap)
{
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
}

static int heap_open(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), HEAPS "/%s", name);
	return open(path, O_RDWR | O_CLOEXEC);
}

static int heap_alloc(int heap, size_t size)
{
	struct dma_heap_allocation_data data = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	return ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) ? -errno : (int)data.fd;
}

static uint32_t *buf_map(int buf, size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);
}

static int buf_sync(int buf, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags | DMA_BUF_SYNC_RW };

	return ioctl(buf, DMA_BUF_IOCTL_SYNC, &sync);
}

/* Maps pages by /dev/mem; NULL if the kernel does not show them. */
static uint32_t *map_pages(unsigned long first, size_t size)
{
	int mem = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	uint32_t *there;

	if (mem < 0)
		return NULL;
	there = mmap(NULL, size, PROT_READ, MAP_SHARED, mem,
		     (off_t)first * ct_page_size);
	close(mem);
	return there == MAP_FAILED ? NULL : there;
}

/*
 * The mapping must be the memory of the area and no copy of it: /dev/mem shows
 * the same data. /proc/self/pagemap does not show such mappings. Returns false
 * if /dev/mem does not show the memory.
 */
static bool test_same_memory(struct __test_metadata *_metadata,
			     const uint32_t *data, unsigned long first,
			     size_t size)
{
	uint32_t *there = map_pages(first, size);

	if (!there)
		return false;
	EXPECT_EQ(0, memcmp(data, there, size));
	munmap(there, size);
	return true;
}

static void test_buffer(struct __test_metadata *_metadata, int heap,
			const struct ct_area *area, size_t size)
{
	size_t i, nr_words = size / sizeof(uint32_t), nr_set = 0;
	unsigned long nr_pages = size / ct_page_size, first;
	long used = ct_area_debugfs(area, "used");
	struct ca_buffers before, after;
	uint32_t *data, *again;
	int buf;

	ca_buffers(area, nr_pages, &before);
	buf = heap_alloc(heap, size);
	ASSERT_GE(buf, 0) {
		TH_LOG("%s: no %zu KiB: %s", area->name, size / KIB,
		       strerror(-buf));
	}
	EXPECT_EQ(used + (long)nr_pages, ct_area_debugfs(area, "used"));
	ca_buffers(area, nr_pages, &after);
	first = ca_new_buffer(&before, &after);
	EXPECT_TRUE(ca_holds(area, first, nr_pages)) {
		TH_LOG("%s: %lu pages from pfn %#lx on are not of it",
		       area->name, nr_pages, first);
	}

	data = buf_map(buf, size);
	ASSERT_TRUE(data != MAP_FAILED);
	again = buf_map(buf, size);
	ASSERT_TRUE(again != MAP_FAILED);
	ASSERT_EQ(0, buf_sync(buf, DMA_BUF_SYNC_START));
	for (i = 0; i < nr_words; i++)
		nr_set += data[i] != 0;
	EXPECT_EQ(0, nr_set);
	for (i = 0; i < nr_words; i++)
		data[i] = ~i;
	ASSERT_EQ(0, buf_sync(buf, DMA_BUF_SYNC_END));
	EXPECT_EQ(0, memcmp(data, again, size));
	test_same_memory(_metadata, data, first, size);

	/* The buffer stays while it is mapped. */
	munmap(data, size);
	close(buf);
	EXPECT_EQ((uint32_t)~1, again[1]);
	EXPECT_EQ(used + (long)nr_pages, ct_area_debugfs(area, "used"));
	munmap(again, size);
	EXPECT_EQ(used, ct_area_debugfs(area, "used"));
	ca_buffers(area, nr_pages, &after);
	EXPECT_EQ(before.nr, after.nr);
}

/* Allocates each size twice: the second buffer is zeroed after the first. */
static void test_sizes(struct __test_metadata *_metadata, const char *name,
		       const struct ct_area *area)
{
	static const size_t sizes[] = { 4 * KIB, 300 * KIB, MIB, 5 * MIB };
	int heap = heap_open(name);
	unsigned int i;

	ASSERT_GE(heap, 0) {
		TH_LOG("no heap %s: %s", name, strerror(errno));
	}
	for (i = 0; i < 8; i++) {
		/* A buffer lies in one piece of an area. */
		if ((long)(sizes[i / 2] / ct_page_size) <=
		    ct_area_debugfs(area, "maxchunk"))
			test_buffer(_metadata, heap, area, sizes[i / 2]);
	}
	close(heap);
}

TEST_F(cma_heap, areas)
{
	struct ct_area areas[CA_AREAS_MAX];
	unsigned int i, nr = ca_areas(areas), nr_tested = 0;

	for (i = 0; i < nr; i++) {
		int heap = heap_open(areas[i].name);

		if (!ca_serves_pages(&areas[i]))
			EXPECT_GT(0, heap);
		/* The options of the other areas are not known here. */
		if (!strcmp(areas[i].name, self->area.name))
			EXPECT_LE(0, heap);
		if (heap < 0)
			continue;
		close(heap);
		test_sizes(_metadata, areas[i].name, &areas[i]);
		nr_tested++;
	}
	EXPECT_LT(0, nr_tested);
}

/* The tests above skip this check where /dev/mem does not show memory. */
TEST_F(cma_heap, no_copy)
{
	const size_t size = 300 * KIB;
	struct ca_buffers before, after;
	int heap, buf;
	uint32_t *data;
	bool shown;

	heap = heap_open(self->area.name);
	ASSERT_GE(heap, 0);
	ca_buffers(&self->area, size / ct_page_size, &before);
	buf = heap_alloc(heap, size);
	ASSERT_GE(buf, 0);
	ca_buffers(&self->area, size / ct_page_size, &after);
	data = buf_map(buf, size);
	ASSERT_TRUE(data != MAP_FAILED);
	ASSERT_EQ(0, buf_sync(buf, DMA_BUF_SYNC_START));
	data[0] = 1;
	ASSERT_EQ(0, buf_sync(buf, DMA_BUF_SYNC_END));
	shown = test_same_memory(_metadata, data,
				 ca_new_buffer(&before, &after), size);
	munmap(data, size);
	close(buf);
	close(heap);
	if (!shown)
		SKIP(return, "no /dev/mem, or none that shows memory");
}

/* Kernels from 6.17 on use this name; the name of the area works as well. */
TEST_F(cma_heap, default_area)
{
	struct dma_test_alloc buf;
	struct ct_area area;
	int heap, dma = ct_dma_open();

	ASSERT_GE(dma, 0);
	heap = heap_open(DEFAULT_HEAP);
	if (heap < 0)
		SKIP(return, "no default area");
	close(heap);

	/* A device without an area of its own uses the default area. */
	ASSERT_EQ(0, ct_dma_alloc(dma, MIB, DMA_TEST_KERNEL, 0, &buf));
	ASSERT_TRUE(ca_area_at(buf.dma_addr / ct_page_size, MIB / ct_page_size,
			       &area));
	ASSERT_EQ(0, ct_dma_free(dma, buf.id));
	close(dma);
	/* A cached buffer must not disappear from the list during a test. */
	ct_flush_cache(&area);

	test_sizes(_metadata, DEFAULT_HEAP, &area);

	/* A request for more than the area fails. */
	heap = heap_open(DEFAULT_HEAP);
	ksft_print_msg("expect-splat: cma: %s: alloc failed\n", area.name);
	EXPECT_EQ(-ENOMEM,
		  heap_alloc(heap, (area.nr_pages + 1) * ct_page_size));
	close(heap);
}

TEST_HARNESS_MAIN
