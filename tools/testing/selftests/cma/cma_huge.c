// SPDX-License-Identifier: GPL-2.0
/*
 * Huge pages in areas. Transparent huge pages lie in an area like other program
 * data, and move as a whole or in pieces.
 *
 * hugetlb pages only move on some architectures. ARM does not select
 * ARCH_ENABLE_HUGEPAGE_MIGRATION, so hugetlb does not request movable memory
 * there, and none of its pages may lie in an area.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "cma_kinds_lib.h"

#define NR_HUGEPAGES	"/proc/sys/vm/nr_hugepages"
#define KPF_HUGE	(1ULL << 17)

FIXTURE(cma_huge) {
	struct ct_area area;
	size_t size;			/* half of the area */
	long nr_hugepages;
	struct ct_thp thp;
	int fd;
};

FIXTURE_SETUP(cma_huge)
{
	ct_init(&self->area);
	self->fd = ct_dma_open();
	ASSERT_GE(self->fd, 0);
	self->size = self->area.nr_pages / 2 * ct_page_size;
	self->nr_hugepages = ct_read_long(NR_HUGEPAGES);
}

FIXTURE_TEARDOWN(cma_huge)
{
	if (self->nr_hugepages >= 0)
		ct_write_long(NR_HUGEPAGES, self->nr_hugepages);
	ct_thp_end(&self->thp);
	close(self->fd);
}

/* Nearly all free memory lies in the area when the huge pages are allocated. */
TEST_F(cma_huge, hugetlb)
{
	size_t huge_size = ct_meminfo_kib("Hugepagesize") * KIB;
	struct ct_mem mem;
	uint32_t *data;
	long nr, nr_in, nr_pool;

	if (self->nr_hugepages < 0)
		SKIP(return, "a kernel without hugetlb");
	ASSERT_EQ(0, ct_mem_fill_outside(&mem, CT_ANON, &self->area));
	ct_write_long(NR_HUGEPAGES, self->size / huge_size);
	nr = ct_read_long(NR_HUGEPAGES);
	ASSERT_GT(nr, 0);
	EXPECT_EQ(0, ct_mem_verify(&mem));

	/* Use half of them; the others stay in the pool. */
	nr = (nr + 1) / 2;
	data = mmap(NULL, nr * huge_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)data);
	ct_noise_make(data, nr * huge_size, 1);
	nr_in = ct_area_count(&self->area, KPF_HUGE, 0);
	TH_LOG("%ld huge pages in use, %ld of their pages in the area", nr,
	       nr_in);
	/* hugetlb pages move on architectures other than ARM. */
	ASSERT_EQ(ct_dma_generic(self->fd), nr_in > 0);
	ct_mem_exit(&mem);

	nr_pool = ct_read_long(NR_HUGEPAGES);
	ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area));
	EXPECT_EQ(0, ct_noise_wrong(data, nr * huge_size, 1));
	EXPECT_EQ(0, munmap(data, nr * huge_size));
	EXPECT_EQ(nr_pool, ct_read_long(NR_HUGEPAGES));
}

/* No other huge page is free, and there is no memory for one. */
TEST_F(cma_huge, hugetlb_without_room)
{
	size_t huge_size = ct_meminfo_kib("Hugepagesize") * KIB;
	struct dma_test_alloc buf;
	char text[4096];
	struct ct_mem mem;
	char *data;
	long nr;

	if (self->nr_hugepages < 0)
		SKIP(return, "a kernel without hugetlb");
	if (!ct_dma_generic(self->fd))
		SKIP(return, "huge pages of hugetlb do not move");
	ASSERT_EQ(0, ct_mem_fill_outside(&mem, CT_MLOCKED, &self->area));
	ct_write_long(NR_HUGEPAGES, self->size / huge_size);
	nr = ct_read_long(NR_HUGEPAGES);
	ASSERT_GT(nr, 0);
	data = mmap(NULL, nr * huge_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	ASSERT_NE(MAP_FAILED, data);
	memset(data, 1, nr * huge_size);
	ASSERT_GT(ct_area_count(&self->area, KPF_HUGE, 0), 0);
	/* So much that it does not fit beside them. */
	EXPECT_EQ(-ENOMEM, ct_dma_alloc(self->fd, self->area.nr_pages / 4 * 3 *
					ct_page_size, DMA_TEST_KERNEL,
					DMA_TEST_NO_WARN, &buf));
	ASSERT_TRUE(ct_last_report(text, sizeof(text)));
	EXPECT_TRUE(strstr(text, " huge, with no other free: huge page,")) {
		TH_LOG("%s", text);
	}
	EXPECT_EQ(0, munmap(data, nr * huge_size));
	ct_mem_exit(&mem);
}

TEST_F(cma_huge, transparent)
{
	long huge_size = ct_thp_start(&self->thp);
	size_t size = self->size;
	struct ct_mem mem;
	uintptr_t start;
	long nr_in;

	if (huge_size < 0)
		SKIP(return, "a kernel without transparent huge pages");
	ASSERT_EQ(0, ct_mem_fill_outside(&mem, CT_ANON, &self->area));
	start = (uintptr_t)ct_map(size + huge_size);
	ASSERT_NE(0, start);
	start = (start + huge_size - 1) / huge_size * huge_size;
	ASSERT_EQ(0, madvise((void *)start, size, MADV_HUGEPAGE));
	ct_noise_make((uint32_t *)start, size, 1);
	nr_in = ct_area_count(&self->area, CT_KPF_THP, 0);
	ASSERT_GT(nr_in, (long)self->area.nr_pages / 8);
	EXPECT_EQ(0, ct_mem_verify(&mem));
	ct_mem_exit(&mem);

	ASSERT_EQ(0, ct_dma_take_most(self->fd, &self->area));
	EXPECT_EQ(0, ct_noise_wrong((uint32_t *)start, size, 1));
	EXPECT_LT(ct_area_count(&self->area, CT_KPF_THP, 0), nr_in);
}

TEST_HARNESS_MAIN
