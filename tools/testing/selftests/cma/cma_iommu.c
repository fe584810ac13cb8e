// SPDX-License-Identifier: GPL-2.0
/*
 * A device behind an IOMMU, if the device tree declares one: its pages come
 * from anywhere, unless the buffer has to be contiguous.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_areas.h"
#include "cma_test_lib.h"

#define NAME		"behind-iommu"
#define CLIENT		DMA_TEST_DEVICE "." NAME
#define BUF_SIZE	(5 * MIB + 4 * KIB)
#define NR_ROUNDS	20

FIXTURE(cma_iommu) {
	struct ct_area area;
	long used;
	int fd;
};

FIXTURE_SETUP(cma_iommu)
{
	ct_init(&self->area);
	self->fd = open(CLIENT, O_RDWR);
	if (self->fd < 0)
		SKIP(return, "no " CLIENT);
	self->used = ct_area_debugfs(&self->area, "used");
}

FIXTURE_TEARDOWN(cma_iommu)
{
	close(self->fd);
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
}

/* Takes a buffer and checks that it works. */
static void take(struct __test_metadata *_metadata, int fd, uint32_t attrs,
		 struct dma_test_alloc *buf)
{
	char *data;

	ASSERT_EQ(0, ct_dma_alloc(fd, BUF_SIZE, DMA_TEST_KERNEL, attrs, buf));
	data = mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    (off_t)buf->id * ct_page_size);
	ASSERT_TRUE(data != MAP_FAILED);
	for (size_t i = 0; i < BUF_SIZE; i += ct_page_size)
		ASSERT_EQ(0, data[i]);
	ASSERT_EQ(0, ct_dma_fill(fd, buf->id, attrs));
	/* The last byte that the program sees is the kernel's last byte. */
	data[BUF_SIZE - 1] ^= 1;
	EXPECT_EQ(-EILSEQ, ct_dma_verify(fd, buf->id, attrs));
	data[BUF_SIZE - 1] ^= 1;
	ASSERT_EQ(0, munmap(data, BUF_SIZE));
	ASSERT_EQ(0, ct_dma_verify(fd, buf->id, attrs));
}

TEST_F(cma_iommu, pages_from_anywhere)
{
	struct dma_test_alloc buf;

	take(_metadata, self->fd, 0, &buf);
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
	EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
	take(_metadata, self->fd, DMA_TEST_ALLOC_SINGLE_PAGES, &buf);
	EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
	EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
}

TEST_F(cma_iommu, contiguous_on_request)
{
	const unsigned long nr_pages = BUF_SIZE / ct_page_size;
	struct ca_buffers before, after;
	struct dma_test_check check;
	struct dma_test_alloc buf;
	unsigned long pfn;
	char owner[64];

	for (int round = 0; round < NR_ROUNDS; round++) {
		ca_buffers(&self->area, nr_pages, &before);
		take(_metadata, self->fd, DMA_TEST_FORCE_CONTIGUOUS, &buf);
		EXPECT_EQ(self->used + (long)nr_pages,
			  ct_area_debugfs(&self->area, "used"));
		ca_buffers(&self->area, nr_pages, &after);
		pfn = ca_new_buffer(&before, &after);
		EXPECT_TRUE(ca_holds(&self->area, pfn, nr_pages));
		ASSERT_TRUE(ca_owner(&self->area, pfn, owner));
		EXPECT_STREQ(NAME, owner);
		ASSERT_EQ(0, ct_dma_check(self->fd, buf.id, &check));
		EXPECT_TRUE(check.tested & DMA_TEST_UNALIASED ||
			    ct_dma_generic(self->fd));
		EXPECT_EQ(check.tested, check.found);
		/* The DMA address is one of the IOMMU. */
		EXPECT_NE(pfn, buf.dma_addr / ct_page_size);
		EXPECT_EQ(0, ct_dma_free(self->fd, buf.id));
		EXPECT_EQ(self->used, ct_area_debugfs(&self->area, "used"));
	}
}

TEST_HARNESS_MAIN
