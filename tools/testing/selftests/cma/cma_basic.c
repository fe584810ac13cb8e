// SPDX-License-Identifier: GPL-2.0
/*
 * Basic promises to a driver: a buffer of any size is contiguous, zeroed,
 * writable, uncached and aligned, and all of it is freed.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_test_lib.h"

#define MAX_ALIGN	MIB	/* mainline's limit too: 256 pages */
#define MAX_BUFS	4096

FIXTURE(cma_basic) {
	struct ct_area area;
	long used;
	bool generic;		/* see ct_dma_generic() */
	int fd;
};

FIXTURE_SETUP(cma_basic)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	self->generic = ct_dma_generic(self->fd);
	self->used = ct_area_debugfs(&self->area, "used");
	ASSERT_GE(self->used, 0);
}

/* All tests must free what they allocate. */
FIXTURE_TEARDOWN(cma_basic)
{
	close(self->fd);
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
}

static unsigned long pages(size_t size)
{
	return (size + ct_page_size - 1) / ct_page_size;
}

static size_t expected_align(size_t size)
{
	size_t align = ct_page_size;

	while (align < size && align < MAX_ALIGN)
		align *= 2;
	return align;
}

static void shuffle(uint32_t *ids, unsigned int nr)
{
	for (; nr > 1; nr--) {
		unsigned int i = rand() % nr;
		uint32_t id = ids[i];

		ids[i] = ids[nr - 1];
		ids[nr - 1] = id;
	}
}

/* Allocates, checks and frees a buffer; it may lack the properties @unless. */
static void test_but(struct __test_metadata *_metadata, int fd, size_t size,
		     uint32_t context, uint32_t attrs, uint32_t unless)
{
	struct dma_test_check check;
	struct dma_test_alloc buf;

	ASSERT_EQ(0, ct_dma_alloc(fd, size, context, attrs, &buf)) {
		TH_LOG("%zu bytes, context %u, attrs %#x", size, context,
		       attrs);
	}
	ASSERT_EQ(0, ct_dma_check(fd, buf.id, &check));
	EXPECT_EQ(check.tested | unless, check.found | unless) {
		TH_LOG("%zu bytes, context %u, attrs %#x at %#llx", size,
		       context, attrs, (unsigned long long)buf.dma_addr);
	}
	EXPECT_NE(0, check.tested & DMA_TEST_ZEROED);
	if (context == DMA_TEST_KERNEL) {
		EXPECT_EQ(0, buf.dma_addr % expected_align(size)) {
			TH_LOG("%zu bytes at %#llx", size,
			       (unsigned long long)buf.dma_addr);
		}
	}
	EXPECT_EQ(0, ct_dma_free(fd, buf.id));
}

static void test_one(struct __test_metadata *_metadata, int fd, size_t size,
		     uint32_t context, uint32_t attrs)
{
	test_but(_metadata, fd, size, context, attrs, 0);
}

TEST_F(cma_basic, sizes)
{
	static const size_t sizes[] = {
		1, 4 * KIB, 4 * KIB + 1, 8 * KIB, 64 * KIB, 300 * KIB,
		MIB - 1, MIB, MIB + 1, 4 * MIB, 12345678, 16 * MIB, 32 * MIB,
	};
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct dma_test_alloc buf;
		bool from_area = !self->generic || pages(sizes[i]) > 1;

		/* The size is not rounded up to a power of two. */
		ASSERT_EQ(0, ct_dma_alloc(self->fd, sizes[i], DMA_TEST_KERNEL,
					  0, &buf));
		EXPECT_EQ(self->used + (from_area ? (long)pages(sizes[i]) : 0),
			  ct_area_debugfs(&self->area, "used"));
		EXPECT_EQ(from_area, ct_area_holds(&self->area, buf.dma_addr /
								ct_page_size));
		ASSERT_EQ(0, ct_dma_free(self->fd, buf.id));

		test_one(_metadata, self->fd, sizes[i], DMA_TEST_KERNEL, 0);
		EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
	}
}

TEST_F(cma_basic, write_combine)
{
	test_one(_metadata, self->fd, 4 * KIB, DMA_TEST_KERNEL,
		 DMA_TEST_WRITE_COMBINE);
	test_one(_metadata, self->fd, 3 * MIB, DMA_TEST_KERNEL,
		 DMA_TEST_WRITE_COMBINE);
}

/* The request must not wait; the second buffer reuses the first one's pages. */
TEST_F(cma_basic, contexts)
{
	unsigned long end = self->area.base_pfn + self->area.nr_pages;
	/*
	 * All devices must reach the atomic pool, so it does not use an area
	 * above 4 GiB. Other memory has the kernel's cached mapping, too.
	 */
	uint32_t unless = end > (1ULL << 32) / ct_page_size ?
			  DMA_TEST_UNALIASED : 0;
	uint32_t context;
	int i;

	for (context = DMA_TEST_NOWAIT; context <= DMA_TEST_ATOMIC; context++)
		for (i = 0; i < 2; i++)
			test_but(_metadata, self->fd, 48 * KIB, context, 0,
				 unless);
	if (self->generic) {
		/* The atomic pool grows in the background and never shrinks. */
		sleep(1);
		self->used = ct_area_debugfs(&self->area, "used");
	}
}

/* The program and the kernel map the same memory. */
TEST_F(cma_basic, mapping)
{
	struct dma_test_alloc buf;
	uint32_t *data, first;
	size_t size = 300 * KIB;

	ASSERT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL, 0, &buf));
	ASSERT_EQ(0, ct_dma_fill(self->fd, buf.id, 1));
	EXPECT_EQ(-EILSEQ, ct_dma_verify(self->fd, buf.id, 2));

	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd,
		    (off_t)buf.id * ct_page_size);
	ASSERT_TRUE(data != MAP_FAILED);
	EXPECT_EQ(-EBUSY, ct_dma_free(self->fd, buf.id));
	EXPECT_EQ(0, ct_dma_verify(self->fd, buf.id, 1));
	first = data[0];
	data[0] = ~first;
	EXPECT_EQ(-EILSEQ, ct_dma_verify(self->fd, buf.id, 1));
	data[0] = first;
	EXPECT_EQ(0, ct_dma_verify(self->fd, buf.id, 1));
	ASSERT_EQ(0, munmap(data, size));

	EXPECT_TRUE(mmap(NULL, size + ct_page_size, PROT_READ, MAP_SHARED,
			 self->fd, (off_t)buf.id * ct_page_size) == MAP_FAILED);
	EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
}

/* A buffer that the kernel itself never maps. */
TEST_F(cma_basic, no_kernel_mapping)
{
	struct dma_test_check check;
	struct dma_test_alloc buf;
	size_t i, size = 2 * MIB;
	uint32_t *data;

	ASSERT_EQ(0, ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL,
				  DMA_TEST_NO_KERNEL_MAPPING, &buf));
	EXPECT_EQ(DMA_TEST_NOWHERE, buf.where);
	EXPECT_EQ(-EOPNOTSUPP, ct_dma_check(self->fd, buf.id, &check));
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd,
		    (off_t)buf.id * ct_page_size);
	ASSERT_TRUE(data != MAP_FAILED);
	for (i = 0; i < size / sizeof(*data); i++)
		data[i] = i;
	for (i = 0; i < size / sizeof(*data) && data[i] == i; i++)
		;
	EXPECT_EQ(size / sizeof(*data), i);
	ASSERT_EQ(0, munmap(data, size));
	EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
}

/* A full area returns -ENOMEM; after the frees it has one large hole again. */
TEST_F(cma_basic, exhaustion)
{
	size_t area_size = self->area.nr_pages * ct_page_size;
	/* The page allocator has no block of this size. */
	size_t size = self->generic ? 8 * MIB : MIB;
	static uint32_t ids[MAX_BUFS];
	struct dma_test_alloc buf;
	unsigned int nr = 0;
	int err;

	EXPECT_EQ(-ENOMEM, ct_dma_alloc(self->fd, area_size + 1,
					DMA_TEST_KERNEL, DMA_TEST_NO_WARN,
					&buf));
	EXPECT_EQ(-ENOMEM, ct_dma_alloc(self->fd, 3UL << 30, DMA_TEST_KERNEL,
					DMA_TEST_NO_WARN, &buf));

	ct_drop_caches();
	do {
		err = ct_dma_alloc(self->fd, size, DMA_TEST_KERNEL,
				   DMA_TEST_NO_WARN, &buf);
		if (!err)
			ids[nr++] = buf.id;
	} while (!err && nr < MAX_BUFS);
	EXPECT_EQ(-ENOMEM, err);
	EXPECT_LE(nr * size, area_size);
	EXPECT_EQ(self->used + (long)(nr * size / ct_page_size),
		  ct_area_debugfs(&self->area, "used"));
	/* No aligned hole of this size is left. */
	EXPECT_LT(ct_area_debugfs(&self->area, "maxchunk"),
		  (long)((size + MAX_ALIGN) / ct_page_size));

	shuffle(ids, nr);
	while (nr)
		EXPECT_EQ(0, ct_dma_free(self->fd, ids[--nr]));
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
	test_one(_metadata, self->fd, area_size / 2, DMA_TEST_KERNEL, 0);
}

static int by_addr(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Many small buffers must not overlap; they are freed in random order. */
TEST_F(cma_basic, many_small)
{
	unsigned int i, nr = ct_scale(1000);
	uint64_t addrs[1000];
	uint32_t ids[1000];
	struct dma_test_alloc buf;

	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, ct_dma_alloc(self->fd, 2 * ct_page_size,
					  DMA_TEST_KERNEL, 0, &buf));
		addrs[i] = buf.dma_addr;
		ids[i] = buf.id;
	}
	qsort(addrs, nr, sizeof(*addrs), by_addr);
	for (i = 1; i < nr; i++)
		EXPECT_LE(addrs[i - 1] + 2 * ct_page_size, addrs[i]);
	EXPECT_EQ(self->used + 2L * nr, ct_area_debugfs(&self->area, "used"));

	/* A small buffer fits into a hole of two pages. */
	shuffle(ids, nr);
	for (i = 0; i < nr / 2; i++)
		EXPECT_EQ(0, ct_dma_free(self->fd, ids[i]));
	test_one(_metadata, self->fd, 2 * ct_page_size, DMA_TEST_KERNEL, 0);
	for (; i < nr; i++)
		EXPECT_EQ(0, ct_dma_free(self->fd, ids[i]));
}

/* Closing the file frees its buffers; FIXTURE_TEARDOWN checks it. */
TEST_F(cma_basic, close_frees)
{
	struct dma_test_alloc buf;
	struct dma_test_info info;
	int i;

	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, ct_dma_alloc(self->fd, 512 * KIB, DMA_TEST_KERNEL,
					  0, &buf));
	ASSERT_EQ(0, ioctl(self->fd, DMA_TEST_IOC_INFO, &info));
	EXPECT_EQ(8, info.nr_buffers);
	EXPECT_EQ(8 * 512 * KIB, info.size);
}

TEST_F(cma_basic, bad_requests)
{
	struct dma_test_alloc buf;

	EXPECT_EQ(-EINVAL, ct_dma_alloc(self->fd, 0, DMA_TEST_KERNEL, 0, &buf));
	/* SIZE_MAX of a 32 bit program is a valid size in a 64 bit kernel. */
	EXPECT_EQ(self->generic && sizeof(long) == 4 ? -ENOMEM : -EINVAL,
		  ct_dma_alloc(self->fd, SIZE_MAX, DMA_TEST_KERNEL,
			       DMA_TEST_NO_WARN, &buf));
	EXPECT_EQ(-EINVAL, ct_dma_alloc(self->fd, KIB, DMA_TEST_NR_CONTEXTS, 0,
					&buf));
	EXPECT_EQ(-EINVAL, ct_dma_alloc(self->fd, KIB, DMA_TEST_KERNEL,
					~DMA_TEST_ATTRS, &buf));
	EXPECT_EQ(-ENOENT, ct_dma_free(self->fd, 1));
	EXPECT_EQ(-ENOENT, ct_dma_fill(self->fd, 1, 1));
	EXPECT_EQ(-1, ioctl(self->fd, DMA_TEST_IOC_ALLOC, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->fd, _IO('c', 0x7f)));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_TRUE(mmap(NULL, ct_page_size, PROT_READ, MAP_SHARED, self->fd,
			 ct_page_size) == MAP_FAILED);
	EXPECT_EQ(ENOENT, errno);
}

TEST_HARNESS_MAIN
