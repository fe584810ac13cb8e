// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of how buffers are mapped on ARM. They walk the kernel's page
 * tables before, while and after a driver has a buffer. The buffer must have
 * one mapping, with the right type and the largest entries. No other mapping
 * may change.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "../internal.h"
#include "kunit_area.h"

#define PAGES_PER_LARGE	(SZ_64K / PAGE_SIZE)

struct mapping_case {
	struct device *dev;
	struct cma *cma;
	unsigned long cache_limit;
};

struct entry {
	pteval_t soft;
	pteval_t hard;
};

/* Without a cache, freed pages are mapped like all other memory at once. */
static int mapping_test_init(struct kunit *test)
{
	struct mapping_case *this = kunit_kzalloc(test, sizeof(*this),
						  GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, this);
	this->cma = cma_test_area(test);
	this->dev = cma_test_device(test, "cma-mapping");
	this->cache_limit = this->cma->cache_limit;
	WRITE_ONCE(this->cma->cache_limit, 0);
	cma_cache_flush(this->cma);
	test->priv = this;
	return 0;
}

static void mapping_test_exit(struct kunit *test)
{
	struct mapping_case *this = test->priv;

	if (this)
		WRITE_ONCE(this->cma->cache_limit, this->cache_limit);
}

static struct entry mapping_test_entry(struct kunit *test, void *addr)
{
	pmd_t *pmd = pmd_off_k((unsigned long)addr);
	struct entry entry = { };
	pte_t *pte;

	KUNIT_ASSERT_FALSE(test, pmd_none(*pmd));
	KUNIT_ASSERT_FALSE(test, pmd_leaf(*pmd));
	pte = pte_offset_kernel(pmd, (unsigned long)addr);
	entry.soft = pte_val(*pte);
#ifdef CONFIG_ARM_LPAE
	entry.hard = pte_val(*pte);
#else
	entry.hard = ((u32 *)pte)[PTE_HWTABLE_PTRS];
#endif
	return entry;
}

static bool mapping_test_is_large(struct entry entry)
{
#ifdef CONFIG_ARM_LPAE
	return entry.hard & BIT_ULL(52);
#else
	return (entry.hard & PTE_TYPE_MASK) == PTE_TYPE_LARGE;
#endif
}

static bool mapping_test_can_be_large(void)
{
	return IS_ENABLED(CONFIG_ARM_LPAE) || IS_ENABLED(CONFIG_CPU_V7);
}

static pteval_t mapping_test_type(pteval_t entry)
{
	return entry & L_PTE_MT_MASK;
}

/* Compares the entry of each page of a buffer with the driver's request. */
static void mapping_test_buffer(struct kunit *test, void *cpu, dma_addr_t dma,
				size_t size, pgprot_t prot)
{
	unsigned long pfn = PHYS_PFN(dma);
	size_t large_start = ALIGN((unsigned long)cpu, SZ_64K) -
			     (unsigned long)cpu;
	size_t large_end = ALIGN_DOWN((unsigned long)cpu + size, SZ_64K) -
			   (unsigned long)cpu;

	for (size_t offset = 0; offset < size; offset += PAGE_SIZE) {
		struct entry entry = mapping_test_entry(test, cpu + offset);
		bool large = mapping_test_can_be_large() &&
			     IS_ALIGNED((unsigned long)cpu - dma, SZ_64K) &&
			     offset >= large_start && offset < large_end;

		KUNIT_ASSERT_EQ_MSG(test, mapping_test_type(entry.soft),
				    mapping_test_type(pgprot_val(prot)),
				    "%zu of %zu", offset, size);
		KUNIT_ASSERT_EQ(test, pte_pfn(__pte(entry.soft)),
				pfn + (offset >> PAGE_SHIFT));
		KUNIT_ASSERT_EQ_MSG(test, mapping_test_is_large(entry), large,
				    "%zu of %zu", offset, size);
		if (large && !IS_ENABLED(CONFIG_ARM_LPAE))
			KUNIT_ASSERT_EQ(test,
					PHYS_PFN(entry.hard & ~(SZ_64K - 1)),
					ALIGN_DOWN(pfn + (offset >> PAGE_SHIFT),
						   PAGES_PER_LARGE));
	}
}

/* Checks that no two addresses of a buffer share a page. */
static void mapping_test_addresses(struct kunit *test, u32 *words, size_t size)
{
	size_t step = PAGE_SIZE / sizeof(*words);

	for (size_t i = 0; i < size / sizeof(*words); i += step)
		WRITE_ONCE(words[i], i);
	/* Drain the write buffer, or reads are served from there. */
	mb();
	for (size_t i = 0; i < size / sizeof(*words); i += step)
		KUNIT_ASSERT_EQ(test, READ_ONCE(words[i]), i);
}

/* Returns the entries of all pages of an area in low memory, or else NULL. */
static struct entry *mapping_test_all_entries(struct kunit *test)
{
	struct mapping_case *this = test->priv;
	struct page *first = pfn_to_page(this->cma->range.start);
	struct entry *entries;

	if (cma_test_in_highmem(this->cma))
		return NULL;
	entries = kvmalloc_array(this->cma->nr_pages, sizeof(*entries),
				 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, entries);
	for (unsigned long i = 0; i < this->cma->nr_pages; i++)
		entries[i] = mapping_test_entry(test, page_address(first + i));
	return entries;
}

/* Expects all entries as @before, except for the buffer at @phys. */
static void mapping_test_all(struct kunit *test, const struct entry *before,
			     phys_addr_t phys, size_t size)
{
	struct mapping_case *this = test->priv;
	unsigned long start = PHYS_PFN(phys) - this->cma->range.start;
	unsigned long end = start + (size >> PAGE_SHIFT);
	struct entry *now = mapping_test_all_entries(test);

	for (unsigned long i = 0; i < this->cma->nr_pages; i++)
		if ((i < start || i >= end) &&
		    memcmp(&now[i], &before[i], sizeof(*now)))
			KUNIT_FAIL(test, "page %lu: %llx %llx was %llx %llx", i,
				   (u64)now[i].soft, (u64)now[i].hard,
				   (u64)before[i].soft, (u64)before[i].hard);
	kvfree(now);
}

static void mapping_test_size(struct kunit *test, size_t size,
			      unsigned long attrs, pgprot_t prot)
{
	struct mapping_case *this = test->priv;
	struct entry *before = mapping_test_all_entries(test);
	dma_addr_t dma;
	void *cpu;

	cpu = dma_alloc_attrs(this->dev, size, &dma, GFP_KERNEL, attrs);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	mapping_test_buffer(test, cpu, dma, size, prot);
	mapping_test_addresses(test, cpu, size);
	if (before) {
		KUNIT_EXPECT_PTR_EQ(test, cpu, (void *)phys_to_virt(dma));
		mapping_test_all(test, before, dma, size);
	} else {
		KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(cpu));
		/* The buffer starts at a multiple of its size. */
		KUNIT_EXPECT_TRUE(test, size < SZ_64K ||
				  IS_ALIGNED((unsigned long)cpu, SZ_64K));
	}
	dma_free_attrs(this->dev, size, cpu, dma, attrs);
	if (before)
		mapping_test_all(test, before, 0, 0);
	kvfree(before);
}

static const size_t sizes[] = {
	SZ_4K, SZ_64K - SZ_4K, SZ_64K, SZ_64K + SZ_4K, 75 * SZ_4K, SZ_1M,
	SZ_4M + SZ_4K,
};

static void coherent_buffers(struct kunit *test)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		mapping_test_size(test, sizes[i], 0,
				  pgprot_dmacoherent(PAGE_KERNEL));
}

static void write_combining_buffers(struct kunit *test)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		mapping_test_size(test, sizes[i], DMA_ATTR_WRITE_COMBINE,
				  pgprot_writecombine(PAGE_KERNEL));
}

/* Expects no mapping in high memory; in low memory, one with @prot's type. */
static void mapping_test_unmapped(struct kunit *test, size_t size,
				  unsigned long attrs, pgprot_t prot)
{
	struct mapping_case *this = test->priv;
	struct entry *before = mapping_test_all_entries(test);
	struct page *page;
	dma_addr_t dma;
	void *cookie;

	attrs |= DMA_ATTR_NO_KERNEL_MAPPING;
	cookie = dma_alloc_attrs(this->dev, size, &dma, GFP_KERNEL, attrs);
	KUNIT_ASSERT_NOT_NULL(test, cookie);
	page = pfn_to_page(PHYS_PFN(dma));
	if (before) {
		mapping_test_buffer(test, page_address(page), dma, size, prot);
		mapping_test_addresses(test, page_address(page), size);
		mapping_test_all(test, before, dma, size);
	} else {
		for (unsigned long i = 0; i < size >> PAGE_SHIFT; i++)
			KUNIT_ASSERT_NULL(test, page_address(page + i));
	}
	dma_free_attrs(this->dev, size, cookie, dma, attrs);
	if (before)
		mapping_test_all(test, before, 0, 0);
	kvfree(before);
}

static void buffers_without_a_mapping(struct kunit *test)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		mapping_test_unmapped(test, sizes[i], 0,
				      pgprot_dmacoherent(PAGE_KERNEL));
		mapping_test_unmapped(test, sizes[i], DMA_ATTR_WRITE_COMBINE,
				      pgprot_writecombine(PAGE_KERNEL));
	}
}

/* A cached buffer has the type that the next request asks for. */
static void cached_buffers_without_a_mapping(struct kunit *test)
{
	struct mapping_case *this = test->priv;

	WRITE_ONCE(this->cma->cache_limit, this->cache_limit);
	for (unsigned int i = 0; i < 2; i++) {
		unsigned long attrs = DMA_ATTR_NO_KERNEL_MAPPING;
		pgprot_t prot = pgprot_dmacoherent(PAGE_KERNEL);
		dma_addr_t dma;
		void *cpu;

		cpu = dma_alloc_coherent(this->dev, SZ_64K, &dma, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, cpu);
		mapping_test_buffer(test, cpu, dma, SZ_64K, prot);
		KUNIT_EXPECT_NULL(test, memchr_inv(cpu, 0, SZ_64K));
		memset(cpu, 0xa5, SZ_64K);
		dma_free_coherent(this->dev, SZ_64K, cpu, dma);

		cpu = dma_alloc_attrs(this->dev, SZ_64K, &dma, GFP_KERNEL,
				      attrs);
		KUNIT_ASSERT_NOT_NULL(test, cpu);
		if (!cma_test_in_highmem(this->cma)) {
			cpu = page_address(cpu);
			mapping_test_buffer(test, cpu, dma, SZ_64K, prot);
			KUNIT_EXPECT_NULL(test, memchr_inv(cpu, 0, SZ_64K));
			memset(cpu, 0xa5, SZ_64K);
			cpu = virt_to_page(cpu);
		}
		dma_free_attrs(this->dev, SZ_64K, cpu, dma, attrs);
	}
	WRITE_ONCE(this->cma->cache_limit, 0);
	cma_cache_flush(this->cma);
}

static void mapping_test_free(struct mapping_case *this, size_t size, void *cpu,
			      dma_addr_t dma)
{
	/* CONFIG_DMA_API_DEBUG would report the error and drop its record. */
	arch_dma_free(this->dev, size, cpu, dma, 0);
}

/* A free with a wrong size must leave both buffers as they are. */
static void wrong_sizes(struct kunit *test)
{
	static const size_t wrong[] = { SZ_4K, SZ_64K, SZ_128K + SZ_4K, SZ_256K };
	const pgprot_t prot = pgprot_dmacoherent(PAGE_KERNEL);
	struct mapping_case *this = test->priv;
	struct entry *before = mapping_test_all_entries(test);
	dma_addr_t dma[2];
	void *cpu[2];

	kunit_info(test, "expect-splat: WARNING: .* arm_dma_buffer_find");
	for (unsigned int i = 0; i < ARRAY_SIZE(cpu); i++) {
		cpu[i] = arch_dma_alloc(this->dev, SZ_128K, &dma[i], GFP_KERNEL,
					0);
		KUNIT_ASSERT_NOT_NULL(test, cpu[i]);
	}
	for (unsigned int n = 0; n < ARRAY_SIZE(wrong); n++) {
		mapping_test_free(this, wrong[n], cpu[0], dma[0]);
		for (unsigned int i = 0; i < ARRAY_SIZE(cpu); i++) {
			mapping_test_buffer(test, cpu[i], dma[i], SZ_128K,
					    prot);
			mapping_test_addresses(test, cpu[i], SZ_128K);
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(cpu); i++)
		mapping_test_free(this, SZ_128K, cpu[i], dma[i]);
	if (before)
		mapping_test_all(test, before, 0, 0);
	kvfree(before);
}

/* A mapping that kunmap() left behind must go when a buffer gets the page. */
static void pages_that_were_mapped(struct kunit *test)
{
	struct mapping_case *this = test->priv;
	const unsigned long nr_pages = SZ_64K / PAGE_SIZE;
	unsigned long nr_mapped = 0;
	struct page *page;
	dma_addr_t dma;
	void *cpu;

	if (!cma_test_in_highmem(this->cma))
		kunit_skip(test, "the area is in low memory");
	for (unsigned int round = 0; round < 2; round++) {
		page = cma_alloc(this->cma, nr_pages, get_order(SZ_64K), false);
		KUNIT_ASSERT_NOT_NULL(test, page);
		for (unsigned long i = 0; i < nr_pages; i++) {
			*(u32 *)kmap(page + i) = i;
			kunmap(page + i);
			nr_mapped += !!page_address(page + i);
		}
		cma_release(this->cma, page, nr_pages);
		cpu = dma_alloc_attrs(this->dev, SZ_64K, &dma, GFP_KERNEL,
				      round ? DMA_ATTR_NO_KERNEL_MAPPING : 0);
		KUNIT_ASSERT_NOT_NULL(test, cpu);
		KUNIT_EXPECT_EQ(test, PHYS_PFN(dma), page_to_pfn(page));
		for (unsigned long i = 0; i < nr_pages; i++)
			KUNIT_EXPECT_NULL(test, page_address(page + i));
		dma_free_attrs(this->dev, SZ_64K, cpu, dma,
			       round ? DMA_ATTR_NO_KERNEL_MAPPING : 0);
	}
	/* Otherwise kunmap() left no mapping and the test saw nothing. */
	KUNIT_EXPECT_EQ(test, nr_mapped, 2 * nr_pages);
}

/* The kernel's mapping stays as it is for a device that snoops caches. */
static void buffers_of_coherent_devices(struct kunit *test)
{
	struct mapping_case *this = test->priv;
	struct entry entry;
	dma_addr_t dma;
	void *cpu;

	dev_assign_dma_coherent(this->dev, true);
	cpu = dma_alloc_coherent(this->dev, SZ_1M, &dma, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	entry = mapping_test_entry(test, cpu);
	KUNIT_EXPECT_EQ(test, mapping_test_type(entry.soft),
			mapping_test_type(pgprot_val(PAGE_KERNEL)));
	KUNIT_EXPECT_FALSE(test, mapping_test_is_large(entry));
	dma_free_coherent(this->dev, SZ_1M, cpu, dma);
}

/* The buffer starts in the middle of a large page. */
static void buffers_that_start_anywhere(struct kunit *test)
{
	struct mapping_case *this = test->priv;
	struct page *first = cma_alloc(this->cma, 3, 0, false);

	KUNIT_ASSERT_NOT_NULL(test, first);
	mapping_test_size(test, SZ_4K, 0, pgprot_dmacoherent(PAGE_KERNEL));
	mapping_test_size(test, 40 * SZ_4K, 0, pgprot_dmacoherent(PAGE_KERNEL));
	cma_release(this->cma, first, 3);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(coherent_buffers),
	KUNIT_CASE(write_combining_buffers),
	KUNIT_CASE(buffers_without_a_mapping),
	KUNIT_CASE(cached_buffers_without_a_mapping),
	KUNIT_CASE(wrong_sizes),
	KUNIT_CASE(pages_that_were_mapped),
	KUNIT_CASE(buffers_of_coherent_devices),
	KUNIT_CASE(buffers_that_start_anywhere),
	{ }
};

static struct kunit_suite suite = {
	.name = "cma_mapping",
	.init = mapping_test_init,
	.exit = mapping_test_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit tests of how DMA buffers are mapped on ARM");
MODULE_LICENSE("GPL");
