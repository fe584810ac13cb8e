// SPDX-License-Identifier: GPL-2.0
/*
 * A client that is not ours: the dma-buf heap of the area hands user space
 * contiguous buffers, cleared, and gives them back.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

FIXTURE(cma_heap) {
	struct ct_area area;
	long used;
	int heap;
};

FIXTURE_SETUP(cma_heap)
{
	char path[128];

	ct_init(&self->area);
	self->used = ct_area_debugfs(&self->area, "used");
	snprintf(path, sizeof(path), "/dev/dma_heap/%s", self->area.name);
	self->heap = open(path, O_RDWR | O_CLOEXEC);
	if (self->heap < 0)
		SKIP(return, "no %s", path);
}

FIXTURE_TEARDOWN(cma_heap)
{
	close(self->heap);
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
}

static int heap_alloc(int heap, size_t size)
{
	struct dma_heap_allocation_data data = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	return ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) ? -errno : (int)data.fd;
}

static void test_size(struct __test_metadata *_metadata,
		      FIXTURE_DATA(cma_heap) *self, size_t size)
{
	struct dma_buf_sync sync = {
		.flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW,
	};
	size_t i, nr_words = size / sizeof(uint32_t), nr_set = 0;
	int buf = heap_alloc(self->heap, size);
	uint32_t *data;

	ASSERT_GE(buf, 0);
	EXPECT_EQ(self->used + (long)(size / ct_page_size),
		  ct_area_debugfs(&self->area, "used"));
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, buf, 0);
	ASSERT_TRUE(data != MAP_FAILED);
	ASSERT_EQ(0, ioctl(buf, DMA_BUF_IOCTL_SYNC, &sync));
	for (i = 0; i < nr_words; i++)
		nr_set += data[i] != 0;
	EXPECT_EQ(0, nr_set);
	for (i = 0; i < nr_words; i++)
		data[i] = ~i;
	sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW;
	ASSERT_EQ(0, ioctl(buf, DMA_BUF_IOCTL_SYNC, &sync));
	munmap(data, size);
	close(buf);
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
}

/* Each twice: the second one is cleared though the first was written. */
TEST_F_TIMEOUT(cma_heap, buffers, 120)
{
	static const size_t sizes[] = { 4 * KIB, 300 * KIB, MIB, 5 * MIB };
	unsigned int i;

	for (i = 0; i < 8; i++)
		test_size(_metadata, self, sizes[i / 2]);
}

TEST_HARNESS_MAIN
