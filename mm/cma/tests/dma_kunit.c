// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the DMA API on top of the areas: each of its ways to ask for
 * memory, on a device that nothing is said about. What a driver sees of
 * dma_alloc_coherent() from user space is tested there.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/cma.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>

#include "../internal.h"
#include "kunit_area.h"

#define PATTERN	0xa5

struct dma_case {
	struct device *dev;
	struct cma *cma;	/* the default area */
	unsigned long nr_held;	/* pages, before the test */
};

static int init_case(struct kunit *test)
{
	struct dma_case *this = kunit_kzalloc(test, sizeof(*this), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, this);
	this->cma = area_or_skip(test);
	this->dev = area_device(test, "cma-dma");
	this->nr_held = area_nr_of_devices(this->cma);
	test->priv = this;
	return 0;
}

/* Whatever a test does, all of it comes back. */
static void exit_case(struct kunit *test)
{
	struct dma_case *this = test->priv;

	if (this)
		KUNIT_EXPECT_EQ(test, area_nr_of_devices(this->cma), this->nr_held);
}

static bool is_in_area(struct dma_case *this, dma_addr_t dma)
{
	phys_addr_t phys = dma_to_phys(this->dev, dma);

	return cma_area_of(pfn_to_page(PHYS_PFN(phys))) == this->cma;
}

static bool lies_in_highmem(const struct dma_case *this)
{
	return PageHighMem(pfn_to_page(this->cma->range.start));
}

/* Cleared, writable, and afterwards full of what nobody else may see. */
static void use(struct kunit *test, void *cpu, size_t size)
{
	KUNIT_EXPECT_NULL(test, memchr_inv(cpu, 0, size));
	memset(cpu, PATTERN, size);
	KUNIT_EXPECT_NULL(test, memchr_inv(cpu, PATTERN, size));
}

static const unsigned long attributes[] = {
	0,
	DMA_ATTR_WRITE_COMBINE,
	DMA_ATTR_WEAK_ORDERING,
	DMA_ATTR_FORCE_CONTIGUOUS,
	DMA_ATTR_ALLOC_SINGLE_PAGES,
	DMA_ATTR_NO_WARN,
	DMA_ATTR_SKIP_CPU_SYNC,
	DMA_ATTR_PRIVILEGED,
	DMA_ATTR_WRITE_COMBINE | DMA_ATTR_FORCE_CONTIGUOUS | DMA_ATTR_NO_WARN,
};

static void attributes_are_heeded(struct kunit *test)
{
	static const size_t sizes[] = { SZ_8K, SZ_64K, 75 * SZ_4K, SZ_4M };
	struct dma_case *this = test->priv;
	dma_addr_t dma;
	void *cpu;

	for (unsigned int i = 0; i < ARRAY_SIZE(attributes); i++) {
		for (unsigned int n = 0; n < ARRAY_SIZE(sizes); n++) {
			cpu = dma_alloc_attrs(this->dev, sizes[n], &dma,
					      GFP_KERNEL, attributes[i]);
			KUNIT_ASSERT_NOT_NULL_MSG(test, cpu, "%#lx, %zu bytes",
						  attributes[i], sizes[n]);
			KUNIT_EXPECT_TRUE(test, is_in_area(this, dma));
			use(test, cpu, sizes[n]);
			dma_free_attrs(this->dev, sizes[n], cpu, dma,
				       attributes[i]);
		}
	}
}

/* Pages that somebody has written to, as many as are asked for next. */
static void soil(struct kunit *test, unsigned long nr_pages)
{
	struct dma_case *this = test->priv;
	struct page *page = cma_alloc(this->cma, nr_pages, 0, false);

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (unsigned long i = 0; i < nr_pages; i++)
		memset_page(nth_page(page, i), 0, PATTERN, PAGE_SIZE);
	cma_release(this->cma, page, nr_pages);
}

static void memory_without_a_mapping(struct kunit *test)
{
	struct dma_case *this = test->priv;
	unsigned long attrs = DMA_ATTR_NO_KERNEL_MAPPING;
	unsigned long nr_pages = SZ_1M >> PAGE_SHIFT;
	struct page *page;
	dma_addr_t dma;
	void *cookie;

	soil(test, this->cma->nr_pages / 2);
	cookie = dma_alloc_attrs(this->dev, SZ_1M, &dma, GFP_KERNEL, attrs);
	KUNIT_ASSERT_NOT_NULL(test, cookie);
	KUNIT_EXPECT_TRUE(test, is_in_area(this, dma));
	page = pfn_to_page(PHYS_PFN(dma_to_phys(this->dev, dma)));
	for (unsigned long i = 0; i < nr_pages; i++) {
		void *addr = kmap_local_page(nth_page(page, i));

		KUNIT_EXPECT_NULL(test, memchr_inv(addr, 0, PAGE_SIZE));
		kunmap_local(addr);
	}
	dma_free_attrs(this->dev, SZ_1M, cookie, dma, attrs);
}

static void failures_are_quiet_on_request(struct kunit *test)
{
	struct dma_case *this = test->priv;
	size_t size = (this->cma->nr_pages << PAGE_SHIFT) / 2;
	unsigned long attrs = DMA_ATTR_NO_WARN | DMA_ATTR_NO_KERNEL_MAPPING;
	dma_addr_t dma, all;
	void *cpu;

	cpu = dma_alloc_attrs(this->dev, size, &all, GFP_KERNEL, attrs);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	/* A word of the allocator's in the log would fail the whole boot. */
	size += SZ_4M;
	KUNIT_EXPECT_NULL(test, dma_alloc_attrs(this->dev, size, &dma,
						GFP_KERNEL, DMA_ATTR_NO_WARN));
	KUNIT_EXPECT_NULL(test, dma_alloc_coherent(this->dev, size, &dma,
						   GFP_KERNEL | __GFP_NOWARN));
	size -= SZ_4M;
	dma_free_attrs(this->dev, size, cpu, all, attrs);
}

static void cacheable_pages(struct kunit *test)
{
	struct dma_case *this = test->priv;
	u64 nr_taken = atomic64_read(&this->cma->nr_pages_succeeded);
	struct page *page;
	dma_addr_t dma;
	void *cpu;

	for (unsigned int round = 0; round < 2; round++) {
		page = dma_alloc_pages(this->dev, SZ_1M, &dma,
				       DMA_BIDIRECTIONAL, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, page);
		/* They need an address: none of high memory will do. */
		cpu = page_address(page);
		KUNIT_ASSERT_NOT_NULL(test, cpu);
		if (!lies_in_highmem(this))
			KUNIT_EXPECT_TRUE(test, is_in_area(this, dma));

		dma_sync_single_for_cpu(this->dev, dma, SZ_1M,
					DMA_BIDIRECTIONAL);
		use(test, cpu, SZ_1M);
		dma_sync_single_for_device(this->dev, dma, SZ_1M,
					   DMA_BIDIRECTIONAL);
		/* The device has written nothing. */
		dma_sync_single_for_cpu(this->dev, dma, SZ_1M,
					DMA_FROM_DEVICE);
		KUNIT_EXPECT_NULL(test, memchr_inv(cpu, PATTERN, SZ_1M));
		dma_free_pages(this->dev, SZ_1M, page, dma, DMA_BIDIRECTIONAL);
	}
	/* Nothing is cleared only to be thrown away. */
	if (lies_in_highmem(this))
		KUNIT_EXPECT_EQ(test, nr_taken,
				atomic64_read(&this->cma->nr_pages_succeeded));
}

static void cacheable_buffers(struct kunit *test)
{
	struct dma_case *this = test->priv;
	dma_addr_t dma;
	void *cpu;

	cpu = dma_alloc_noncoherent(this->dev, SZ_256K, &dma, DMA_TO_DEVICE,
				    GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	use(test, cpu, SZ_256K);
	dma_sync_single_range_for_device(this->dev, dma, SZ_64K, SZ_64K,
					 DMA_TO_DEVICE);
	dma_free_noncoherent(this->dev, SZ_256K, cpu, dma, DMA_TO_DEVICE);
}

/* Without an IOMMU they are contiguous all the same. */
static void buffers_of_several_pieces(struct kunit *test)
{
	struct dma_case *this = test->priv;
	struct sg_table *sgt;
	void *cpu;

	sgt = dma_alloc_noncontiguous(this->dev, SZ_1M, DMA_FROM_DEVICE,
				      GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, sgt->nents, 1);
	cpu = dma_vmap_noncontiguous(this->dev, SZ_1M, sgt);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	dma_sync_sgtable_for_cpu(this->dev, sgt, DMA_FROM_DEVICE);
	use(test, cpu, SZ_1M);
	dma_vunmap_noncontiguous(this->dev, cpu);
	dma_free_noncontiguous(this->dev, SZ_1M, sgt, DMA_FROM_DEVICE);
}

static void check_table(struct kunit *test, size_t size, gfp_t gfp,
			unsigned long attrs)
{
	struct dma_case *this = test->priv;
	struct sg_table sgt;
	dma_addr_t dma;
	void *cpu;

	cpu = dma_alloc_attrs(this->dev, size, &dma, gfp, attrs);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	KUNIT_ASSERT_EQ(test, dma_get_sgtable_attrs(this->dev, &sgt, cpu, dma,
						    size, attrs), 0);
	KUNIT_EXPECT_EQ(test, sgt.nents, 1);
	KUNIT_EXPECT_EQ(test, sgt.sgl->length, size);
	KUNIT_EXPECT_EQ(test, sg_phys(sgt.sgl), dma_to_phys(this->dev, dma));
	sg_free_table(&sgt);
	dma_free_attrs(this->dev, size, cpu, dma, attrs);
}

static void set_coherent(struct device *dev, bool coherent)
{
#if defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU)
	dev->dma_coherent = coherent;
#endif
}

static void tables_describe_the_buffer(struct kunit *test)
{
	static const unsigned long attrs[] = { 0, DMA_ATTR_NO_KERNEL_MAPPING };
	struct dma_case *this = test->priv;

	for (unsigned int i = 0; i < ARRAY_SIZE(attrs); i++) {
		check_table(test, SZ_1M + SZ_4K, GFP_KERNEL, attrs[i]);
		check_table(test, SZ_16K, GFP_ATOMIC, attrs[i]);
		set_coherent(this->dev, true);
		check_table(test, SZ_1M + SZ_4K, GFP_KERNEL, attrs[i]);
		set_coherent(this->dev, false);
	}
}

static void managed_buffers_go_with_the_device(struct kunit *test)
{
	struct dma_case *this = test->priv;
	struct device *dev = area_device(test, "cma-managed");
	dma_addr_t dma;
	void *cpu;

	cpu = dmam_alloc_coherent(dev, SZ_128K, &dma, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	use(test, cpu, SZ_128K);
	dmam_free_coherent(dev, SZ_128K, cpu, dma);
	KUNIT_EXPECT_EQ(test, area_nr_of_devices(this->cma), this->nr_held);

	cpu = dmam_alloc_attrs(dev, SZ_1M, &dma, GFP_KERNEL,
			       DMA_ATTR_WRITE_COMBINE);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	KUNIT_EXPECT_EQ(test, area_nr_of_devices(this->cma),
			this->nr_held + SZ_1M / PAGE_SIZE);
	/* exit_case() counts again. */
	kunit_device_unregister(test, dev);
}

static void pools(struct kunit *test)
{
	struct dma_case *this = test->priv;
	const unsigned int nr = 300;
	struct dma_pool *pool;
	dma_addr_t *dma;
	void **cpu;

	cpu = kunit_kcalloc(test, nr, sizeof(*cpu), GFP_KERNEL);
	dma = kunit_kcalloc(test, nr, sizeof(*dma), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, cpu && dma);
	pool = dma_pool_create("cma", this->dev, 192, 64, 0);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	for (unsigned int i = 0; i < nr; i++) {
		cpu[i] = dma_pool_zalloc(pool, GFP_KERNEL, &dma[i]);
		KUNIT_ASSERT_NOT_NULL(test, cpu[i]);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(dma[i], 64));
		use(test, cpu[i], 192);
		memset(cpu[i], i, 192);
	}
	for (unsigned int i = 0; i < nr; i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(cpu[i], i, 192));
		dma_pool_free(pool, cpu[i], dma[i]);
	}
	dma_pool_destroy(pool);
}

/* The second one has what the first one left behind, if nobody clears it. */
static void buffers_that_cannot_wait(struct kunit *test)
{
	static DEFINE_SPINLOCK(lock);
	struct dma_case *this = test->priv;
	dma_addr_t dma;
	void *cpu;

	for (unsigned int i = 0; i < 2; i++) {
		spin_lock(&lock);
		cpu = dma_alloc_coherent(this->dev, SZ_16K, &dma, GFP_ATOMIC);
		spin_unlock(&lock);
		KUNIT_ASSERT_NOT_NULL(test, cpu);
		use(test, cpu, SZ_16K);
		spin_lock(&lock);
		dma_free_coherent(this->dev, SZ_16K, cpu, dma);
		spin_unlock(&lock);
	}
}

static void check_reach(struct kunit *test, size_t size, gfp_t gfp, u64 mask)
{
	struct dma_case *this = test->priv;
	dma_addr_t dma;
	void *cpu;

	this->dev->coherent_dma_mask = mask;
	cpu = dma_alloc_coherent(this->dev, size, &dma, gfp | __GFP_NOWARN);
	if (!cpu)
		return;
	KUNIT_EXPECT_LE_MSG(test, (u64)dma + size - 1, mask, "%#x", gfp);
	use(test, cpu, size);
	dma_free_coherent(this->dev, size, cpu, dma);
}

/* Wherever the area lies, and whatever is there instead. */
static void memory_is_within_reach(struct kunit *test)
{
	static const gfp_t gfp[] = { GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT };
	struct dma_case *this = test->priv;
	dma_addr_t dma;
	void *cpu;

	for (unsigned int i = 0; i < ARRAY_SIZE(gfp); i++)
		for (unsigned int bits = 24; bits <= DMA_BITS; bits++)
			check_reach(test, SZ_8K, gfp[i], DMA_BIT_MASK(bits));

	/* All of those that most devices have. */
	for (unsigned int i = 0; i < ARRAY_SIZE(gfp); i++) {
		this->dev->coherent_dma_mask = DMA_BIT_MASK(32);
		cpu = dma_alloc_coherent(this->dev, SZ_8K, &dma, gfp[i]);
		KUNIT_ASSERT_NOT_NULL(test, cpu);
		dma_free_coherent(this->dev, SZ_8K, cpu, dma);
	}
}

static void coherent_devices(struct kunit *test)
{
#if defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU)
	struct dma_case *this = test->priv;
	dma_addr_t dma;
	void *cpu;

	this->dev->dma_coherent = true;
	for (unsigned int i = 0; i < 2; i++) {
		cpu = dma_alloc_coherent(this->dev, SZ_1M, &dma, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, cpu);
		KUNIT_EXPECT_TRUE(test, is_in_area(this, dma));
		use(test, cpu, SZ_1M);
		dma_free_coherent(this->dev, SZ_1M, cpu, dma);
	}
#else
	kunit_skip(test, "all devices are");
#endif
}

static void areas_out_of_reach(struct kunit *test)
{
	struct dma_case *this = test->priv;
	dma_addr_t dma;
	void *cpu;

	this->dev->bus_dma_limit = phys_to_dma(this->dev,
					       cma_get_end(this->cma)) - 2;
	cpu = dma_alloc_coherent(this->dev, SZ_8K, &dma,
				 GFP_KERNEL | __GFP_NOWARN);
	if (cpu) {
		KUNIT_EXPECT_FALSE(test, is_in_area(this, dma));
		KUNIT_EXPECT_LE(test, (u64)dma + SZ_8K - 1,
				this->dev->bus_dma_limit);
		dma_free_coherent(this->dev, SZ_8K, cpu, dma);
	}
	this->dev->bus_dma_limit++;
	cpu = dma_alloc_coherent(this->dev, SZ_8K, &dma, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	KUNIT_EXPECT_TRUE(test, is_in_area(this, dma));
	dma_free_coherent(this->dev, SZ_8K, cpu, dma);
}

/* A bus that shows a part of memory, from @dma_start on, and nothing else. */
static struct cma *first_area_behind(struct kunit *test, phys_addr_t start,
				     u64 size, dma_addr_t dma_start)
{
	struct dma_case *this = test->priv;
	struct bus_dma_region *map = kunit_kcalloc(test, 2, sizeof(*map),
						   GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, map);
	map->cpu_start = start;
	map->dma_start = dma_start;
	map->size = size;
	this->dev->dma_range_map = map;
	return dma_contiguous_first_area(this->dev);
}

static void areas_that_a_bus_shows(struct kunit *test)
{
	struct dma_case *this = test->priv;
	phys_addr_t start = cma_get_base(this->cma);
	u64 size = cma_get_end(this->cma) - start;
	dma_addr_t dma;
	void *cpu;

	KUNIT_EXPECT_NULL(test, first_area_behind(test, start, size / 2, SZ_1G));
	KUNIT_EXPECT_NULL(test, first_area_behind(test, start + size / 2,
						  size / 2, SZ_1G));
	/* All of it, at the end of what the device reaches. */
	this->dev->coherent_dma_mask = SZ_1G + size - 1;
	KUNIT_EXPECT_PTR_EQ(test, first_area_behind(test, start, size, SZ_1G),
			    this->cma);
	cpu = dma_alloc_coherent(this->dev, SZ_8K, &dma, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, cpu);
	if (cpu) {
		KUNIT_EXPECT_TRUE(test, is_in_area(this, dma));
		KUNIT_EXPECT_GE(test, (u64)dma, SZ_1G);
		KUNIT_EXPECT_LT(test, (u64)dma, SZ_1G + size);
		dma_free_coherent(this->dev, SZ_8K, cpu, dma);
	}
	this->dev->coherent_dma_mask--;
	KUNIT_EXPECT_NULL(test, dma_contiguous_first_area(this->dev));
	/* The device would free it. */
	this->dev->dma_range_map = NULL;
}

/* Two parts of the area and a hole of one page, both ends of it shown. */
static void areas_with_a_hole_for_the_device(struct kunit *test)
{
	struct dma_case *this = test->priv;
	phys_addr_t start = cma_get_base(this->cma);
	u64 size = cma_get_end(this->cma) - start;
	struct bus_dma_region map[] = {
		{ .cpu_start = start, .dma_start = 0, .size = size / 2 },
		{ .cpu_start = start + size / 2, .dma_start = size / 2,
		  .size = size - size / 2 },
		{ }
	};

	this->dev->dma_range_map = map;
	KUNIT_EXPECT_PTR_EQ(test, dma_contiguous_first_area(this->dev),
			    this->cma);
	map[0].size -= PAGE_SIZE;
	KUNIT_EXPECT_NULL(test, dma_contiguous_first_area(this->dev));
	/* All of it is shown, but not in one piece. */
	map[0].size += PAGE_SIZE;
	map[1].dma_start += PAGE_SIZE;
	KUNIT_EXPECT_NULL(test, dma_contiguous_first_area(this->dev));
	KUNIT_EXPECT_FALSE(test, dma_contiguous_reaches(this->dev,
							start + size / 2 -
							PAGE_SIZE, SZ_8K));
	this->dev->dma_range_map = NULL;
}

/* A bus that shows nothing: what was taken goes back, and nothing else. */
static void memory_that_no_bus_shows(struct kunit *test)
{
	static const size_t sizes[] = { SZ_4K, SZ_64K, SZ_1M };
	static const gfp_t gfp[] = { GFP_KERNEL, GFP_ATOMIC };
	struct bus_dma_region map[] = { { .size = PAGE_SIZE }, { } };
	struct dma_case *this = test->priv;
	unsigned long nr_free;
	dma_addr_t dma;

	map[0].cpu_start = cma_get_end(this->cma) + SZ_1G;
	this->dev->dma_range_map = map;
	/* Pages that were given back are not all among the free ones at once. */
	drain_all_pages(NULL);
	nr_free = global_zone_page_state(NR_FREE_PAGES);
	for (unsigned int i = 0; i < 3 * 16; i++) {
		gfp_t flags = gfp[i % ARRAY_SIZE(gfp)] | __GFP_NOWARN;
		size_t size = sizes[i % ARRAY_SIZE(sizes)];

		KUNIT_EXPECT_NULL(test, dma_alloc_coherent(this->dev, size,
							   &dma, flags));
		KUNIT_EXPECT_NULL(test, dma_alloc_attrs(this->dev, size, &dma,
							flags,
							DMA_ATTR_NO_KERNEL_MAPPING));
	}
	if (IS_ENABLED(CONFIG_ARM)) {
		kunit_info(test, "expect-splat: alloc failed, the bus does not show");
		KUNIT_EXPECT_NULL(test, dma_alloc_coherent(this->dev, SZ_4K,
							   &dma, GFP_KERNEL));
	}
	this->dev->dma_range_map = NULL;
	drain_all_pages(NULL);
	/* 17 MiB were taken; others are at work, too. */
	KUNIT_EXPECT_GT(test, global_zone_page_state(NR_FREE_PAGES) + SZ_1K,
			nr_free);
}

#ifdef CONFIG_ARM
/* The DMA API warns once and gives memory, as without an area. */
static void devices_without_a_mask(struct kunit *test)
{
	struct dma_case *this = test->priv;
	bool reached = cma_get_end(this->cma) - 1 <= DMA_BIT_MASK(32);
	dma_addr_t dma;
	void *cpu;

	this->dev->coherent_dma_mask = 0;
	this->dev->dma_mask = NULL;
	KUNIT_EXPECT_PTR_EQ(test, dma_contiguous_first_area(this->dev),
			    reached ? this->cma : NULL);
	/* Below that warning, which is not for the log of the tests. */
	cpu = arch_dma_alloc(this->dev, SZ_1M, &dma, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	KUNIT_EXPECT_EQ(test, is_in_area(this, dma), reached);
	use(test, cpu, SZ_1M);
	arch_dma_free(this->dev, SZ_1M, cpu, dma, 0);
}
#endif

/* As if there was no area: as much as the page allocator has. */
static void large_buffers_without_an_area(struct kunit *test)
{
	struct dma_case *this = test->priv;
	phys_addr_t start = cma_get_base(this->cma);
	dma_addr_t dma;
	void *cpu;

	this->dev->bus_dma_limit = phys_to_dma(this->dev, start) - 1;
	KUNIT_EXPECT_NULL(test, dma_contiguous_first_area(this->dev));
	cpu = dma_alloc_coherent(this->dev, SZ_1M, &dma,
				 GFP_KERNEL | __GFP_NOWARN);
	/* The page allocator does not know of the limit but in a zone for it. */
	if (lies_in_highmem(this))
		KUNIT_EXPECT_NOT_NULL(test, cpu);
	if (!cpu)
		return;
	KUNIT_EXPECT_LE(test, (u64)dma + SZ_1M - 1, this->dev->bus_dma_limit);
	use(test, cpu, SZ_1M);
	dma_free_coherent(this->dev, SZ_1M, cpu, dma);
}

/* Every page of the area that can be had, in pieces as large as can be. */
static unsigned int use_up(struct dma_case *this, struct page **pages,
			   unsigned long *nr_pages, unsigned int max)
{
	unsigned long nr = this->cma->nr_pages;
	unsigned int taken = 0;

	while (nr && taken < max) {
		pages[taken] = cma_alloc(this->cma, nr, 0, true);
		if (pages[taken])
			nr_pages[taken++] = nr;
		else
			nr /= 2;
	}
	return taken;
}

static void areas_that_are_used_up(struct kunit *test)
{
	struct dma_case *this = test->priv;
	const unsigned int max = 64;
	unsigned long *nr_pages;
	unsigned int nr_taken;
	struct page **pages;
	struct page *page;
	dma_addr_t dma;
	void *cpu;

	pages = kunit_kcalloc(test, max, sizeof(*pages), GFP_KERNEL);
	nr_pages = kunit_kcalloc(test, max, sizeof(*nr_pages), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, pages && nr_pages);
	nr_taken = use_up(this, pages, nr_pages, max);
	KUNIT_EXPECT_LT(test, nr_taken, max);

	/* A word in the log would be an error. */
	cpu = dma_alloc_coherent(this->dev, SZ_32K, &dma, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, cpu);
	if (cpu) {
		KUNIT_EXPECT_FALSE(test, is_in_area(this, dma));
		use(test, cpu, SZ_32K);
		dma_free_coherent(this->dev, SZ_32K, cpu, dma);
	}
	cpu = dma_alloc_coherent(this->dev, SZ_32K + SZ_4K, &dma,
				 GFP_KERNEL | __GFP_NOWARN);
	/* What is left for large ones is an area's purpose, on ARM. */
	if (IS_ENABLED(CONFIG_ARM))
		KUNIT_EXPECT_NULL(test, cpu);
	if (cpu)
		dma_free_coherent(this->dev, SZ_32K + SZ_4K, cpu, dma);
	page = dma_alloc_pages(this->dev, SZ_256K, &dma, DMA_TO_DEVICE,
			       GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, page);
	if (page) {
		KUNIT_EXPECT_FALSE(test, is_in_area(this, dma));
		dma_free_pages(this->dev, SZ_256K, page, dma, DMA_TO_DEVICE);
	}

	for (unsigned int i = 0; i < nr_taken; i++)
		cma_release(this->cma, pages[i], nr_pages[i]);
}

/* What the task may wait for is what its driver said, and then as it was. */
static void waits_for_what_it_may(struct kunit *test)
{
	static const gfp_t gfp[] = { GFP_NOIO, GFP_NOFS, GFP_KERNEL };
	struct dma_case *this = test->priv;
	unsigned int flags = current->flags, scope;
	dma_addr_t dma;
	void *cpu;

	for (unsigned int i = 0; i < ARRAY_SIZE(gfp); i++) {
		scope = dma_contiguous_gfp_scope_save(gfp[i]);
		KUNIT_EXPECT_TRUE(test,
				  current_gfp_context(GFP_KERNEL) == gfp[i]);
		memalloc_flags_restore(scope);
		KUNIT_EXPECT_EQ(test, current->flags, flags);
		cpu = dma_alloc_coherent(this->dev, SZ_128K, &dma, gfp[i]);
		KUNIT_EXPECT_EQ(test, current->flags, flags);
		KUNIT_ASSERT_NOT_NULL(test, cpu);
		use(test, cpu, SZ_128K);
		dma_free_coherent(this->dev, SZ_128K, cpu, dma);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(attributes_are_heeded),
	KUNIT_CASE(memory_without_a_mapping),
	KUNIT_CASE(failures_are_quiet_on_request),
	KUNIT_CASE(cacheable_pages),
	KUNIT_CASE(cacheable_buffers),
	KUNIT_CASE(buffers_of_several_pieces),
	KUNIT_CASE(tables_describe_the_buffer),
	KUNIT_CASE(managed_buffers_go_with_the_device),
	KUNIT_CASE(pools),
	KUNIT_CASE(buffers_that_cannot_wait),
	KUNIT_CASE(coherent_devices),
	KUNIT_CASE(memory_is_within_reach),
	KUNIT_CASE(areas_out_of_reach),
	KUNIT_CASE(areas_that_a_bus_shows),
	KUNIT_CASE(areas_with_a_hole_for_the_device),
	KUNIT_CASE(memory_that_no_bus_shows),
#ifdef CONFIG_ARM
	KUNIT_CASE(devices_without_a_mask),
#endif
	KUNIT_CASE(large_buffers_without_an_area),
	KUNIT_CASE(areas_that_are_used_up),
	KUNIT_CASE(waits_for_what_it_may),
	{ }
};

static struct kunit_suite suite = {
	.name = "cma_dma",
	.init = init_case,
	.exit = exit_case,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit tests of the DMA API on contiguous memory areas");
MODULE_LICENSE("GPL");
