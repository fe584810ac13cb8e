// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the DMA API on top of the areas. They use each function that
 * allocates, on a device without an area of its own. Selftests in user space
 * test the buffers of dma_alloc_coherent() further.
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

struct dma_case {
	struct device_dma_parameters parameters;
	struct device *dev;
	struct cma *cma;	/* the default area */
	unsigned long nr_held;	/* pages, before the test */
};

static int dma_kunit_init(struct kunit *test)
{
	struct dma_case *this = kunit_kzalloc(test, sizeof(*this), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, this);
	this->cma = cma_test_area(test);
	this->dev = cma_test_device(test, "cma-dma");
	this->dev->dma_parms = &this->parameters;
	dma_set_max_seg_size(this->dev, UINT_MAX);
	this->nr_held = cma_test_nr_owned(this->cma);
	test->priv = this;
	return 0;
}

/* All tests must free what they allocate. */
static void dma_kunit_exit(struct kunit *test)
{
	struct dma_case *this = test->priv;

	if (this)
		KUNIT_EXPECT_EQ(test, cma_test_nr_owned(this->cma),
				this->nr_held);
}

static bool dma_kunit_in_area(struct dma_case *this, dma_addr_t dma)
{
	phys_addr_t phys = dma_to_phys(this->dev, dma);

	return cma_area_of(pfn_to_page(PHYS_PFN(phys))) == this->cma;
}

/* Expects zeroes and writes a pattern that no later buffer may show. */
static void dma_kunit_use(struct kunit *test, void *cpu, size_t size)
{
	KUNIT_EXPECT_NULL(test, memchr_inv(cpu, 0, size));
	memset(cpu, CMA_TEST_PATTERN, size);
	KUNIT_EXPECT_NULL(test, memchr_inv(cpu, CMA_TEST_PATTERN, size));
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
			KUNIT_EXPECT_TRUE(test, dma_kunit_in_area(this, dma));
			dma_kunit_use(test, cpu, sizes[n]);
			dma_free_attrs(this->dev, sizes[n], cpu, dma,
				       attributes[i]);
		}
	}
}

static void memory_without_a_mapping(struct kunit *test)
{
	struct dma_case *this = test->priv;
	unsigned long attrs = DMA_ATTR_NO_KERNEL_MAPPING;
	unsigned long nr_pages = SZ_1M >> PAGE_SHIFT;
	struct page *page;
	dma_addr_t dma;
	void *cookie;

	cma_test_soil(test, this->cma, this->cma->nr_pages / 2);
	cookie = dma_alloc_attrs(this->dev, SZ_1M, &dma, GFP_KERNEL, attrs);
	KUNIT_ASSERT_NOT_NULL(test, cookie);
	KUNIT_EXPECT_TRUE(test, dma_kunit_in_area(this, dma));
	page = pfn_to_page(PHYS_PFN(dma_to_phys(this->dev, dma)));
	for (unsigned long i = 0; i < nr_pages; i++) {
		void *addr = kmap_local_page(pfn_to_page(page_to_pfn(page) + i));

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
	/* A message of the allocator in the log would fail the whole boot. */
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
		/* dma_alloc_pages() returns no page in high memory. */
		cpu = page_address(page);
		KUNIT_ASSERT_NOT_NULL(test, cpu);
		if (!cma_test_in_highmem(this->cma))
			KUNIT_EXPECT_TRUE(test, dma_kunit_in_area(this, dma));

		dma_sync_single_for_cpu(this->dev, dma, SZ_1M,
					DMA_BIDIRECTIONAL);
		dma_kunit_use(test, cpu, SZ_1M);
		dma_sync_single_for_device(this->dev, dma, SZ_1M,
					   DMA_BIDIRECTIONAL);
		/* The device has written nothing. */
		dma_sync_single_for_cpu(this->dev, dma, SZ_1M,
					DMA_FROM_DEVICE);
		KUNIT_EXPECT_NULL(test,
				  memchr_inv(cpu, CMA_TEST_PATTERN, SZ_1M));
		dma_free_pages(this->dev, SZ_1M, page, dma, DMA_BIDIRECTIONAL);
	}
	/* An unsuitable area is skipped, not allocated from and freed. */
	if (cma_test_in_highmem(this->cma))
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
	dma_kunit_use(test, cpu, SZ_256K);
	dma_sync_single_range_for_device(this->dev, dma, SZ_64K, SZ_64K,
					 DMA_TO_DEVICE);
	dma_free_noncoherent(this->dev, SZ_256K, cpu, dma, DMA_TO_DEVICE);
}

/* Without an IOMMU such a buffer is contiguous, too. */
static void noncontiguous_buffers(struct kunit *test)
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
	dma_kunit_use(test, cpu, SZ_1M);
	dma_vunmap_noncontiguous(this->dev, cpu);
	dma_free_noncontiguous(this->dev, SZ_1M, sgt, DMA_FROM_DEVICE);
}

static void dma_kunit_check_table(struct kunit *test, size_t size, gfp_t gfp,
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

static void tables_describe_the_buffer(struct kunit *test)
{
	static const unsigned long attrs[] = { 0, DMA_ATTR_NO_KERNEL_MAPPING };
	struct dma_case *this = test->priv;

	for (unsigned int i = 0; i < ARRAY_SIZE(attrs); i++) {
		dma_kunit_check_table(test, SZ_1M + SZ_4K, GFP_KERNEL,
				      attrs[i]);
		dma_kunit_check_table(test, SZ_16K, GFP_ATOMIC, attrs[i]);
		dev_assign_dma_coherent(this->dev, true);
		dma_kunit_check_table(test, SZ_1M + SZ_4K, GFP_KERNEL,
				      attrs[i]);
		dev_assign_dma_coherent(this->dev, false);
	}
}

static void managed_buffers_go_with_the_device(struct kunit *test)
{
	struct dma_case *this = test->priv;
	struct device *dev = cma_test_device(test, "cma-managed");
	dma_addr_t dma;
	void *cpu;

	cpu = dmam_alloc_coherent(dev, SZ_128K, &dma, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	dma_kunit_use(test, cpu, SZ_128K);
	dmam_free_coherent(dev, SZ_128K, cpu, dma);
	KUNIT_EXPECT_EQ(test, cma_test_nr_owned(this->cma), this->nr_held);

	cpu = dmam_alloc_attrs(dev, SZ_1M, &dma, GFP_KERNEL,
			       DMA_ATTR_WRITE_COMBINE);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	KUNIT_EXPECT_EQ(test, cma_test_nr_owned(this->cma),
			this->nr_held + SZ_1M / PAGE_SIZE);
	/* This frees the buffer; dma_kunit_exit() counts again. */
	kunit_device_unregister(test, dev);
}

static void dma_pools(struct kunit *test)
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
		dma_kunit_use(test, cpu[i], 192);
		memset(cpu[i], i, 192);
	}
	for (unsigned int i = 0; i < nr; i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(cpu[i], i, 192));
		dma_pool_free(pool, cpu[i], dma[i]);
	}
	dma_pool_destroy(pool);
}

/* The second buffer reuses the first one's memory, which must be zeroed. */
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
		dma_kunit_use(test, cpu, SZ_16K);
		spin_lock(&lock);
		dma_free_coherent(this->dev, SZ_16K, cpu, dma);
		spin_unlock(&lock);
	}
}

static void dma_kunit_check_reach(struct kunit *test, size_t size, gfp_t gfp,
				  u64 mask)
{
	struct dma_case *this = test->priv;
	dma_addr_t dma;
	void *cpu;

	this->dev->coherent_dma_mask = mask;
	cpu = dma_alloc_coherent(this->dev, size, &dma, gfp | __GFP_NOWARN);
	if (!cpu)
		return;
	KUNIT_EXPECT_LE_MSG(test, (u64)dma + size - 1, mask, "%#x", gfp);
	dma_kunit_use(test, cpu, size);
	dma_free_coherent(this->dev, size, cpu, dma);
}

/* The device must reach its buffers, whether they lie in the area or not. */
static void memory_is_within_reach(struct kunit *test)
{
	static const gfp_t gfp[] = { GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT };
	struct dma_case *this = test->priv;
	dma_addr_t dma;
	void *cpu;

	for (unsigned int i = 0; i < ARRAY_SIZE(gfp); i++)
		for (unsigned int bits = 24; bits <= DMA_BITS; bits++)
			dma_kunit_check_reach(test, SZ_8K, gfp[i],
					      DMA_BIT_MASK(bits));

	/* With the usual mask of 32 bits, every request succeeds. */
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

	dev_assign_dma_coherent(this->dev, true);
	for (unsigned int i = 0; i < 2; i++) {
		cpu = dma_alloc_coherent(this->dev, SZ_1M, &dma, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, cpu);
		KUNIT_EXPECT_TRUE(test, dma_kunit_in_area(this, dma));
		dma_kunit_use(test, cpu, SZ_1M);
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
		KUNIT_EXPECT_FALSE(test, dma_kunit_in_area(this, dma));
		KUNIT_EXPECT_LE(test, (u64)dma + SZ_8K - 1,
				this->dev->bus_dma_limit);
		dma_free_coherent(this->dev, SZ_8K, cpu, dma);
	}
	this->dev->bus_dma_limit++;
	cpu = dma_alloc_coherent(this->dev, SZ_8K, &dma, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	KUNIT_EXPECT_TRUE(test, dma_kunit_in_area(this, dma));
	dma_free_coherent(this->dev, SZ_8K, cpu, dma);
}

/*
 * Returns the first area of a device behind a bus that shows @size bytes from
 * @start on at @dma_start, and no other memory.
 */
static struct cma *dma_kunit_first_area(struct kunit *test, phys_addr_t start,
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

	KUNIT_EXPECT_NULL(test,
			  dma_kunit_first_area(test, start, size / 2, SZ_1G));
	KUNIT_EXPECT_NULL(test, dma_kunit_first_area(test, start + size / 2,
						     size / 2, SZ_1G));
	/* The bus shows the whole area at the end of the device's reach. */
	this->dev->coherent_dma_mask = SZ_1G + size - 1;
	KUNIT_EXPECT_PTR_EQ(test,
			    dma_kunit_first_area(test, start, size, SZ_1G),
			    this->cma);
	cpu = dma_alloc_coherent(this->dev, SZ_8K, &dma, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, cpu);
	if (cpu) {
		KUNIT_EXPECT_TRUE(test, dma_kunit_in_area(this, dma));
		KUNIT_EXPECT_GE(test, (u64)dma, SZ_1G);
		KUNIT_EXPECT_LT(test, (u64)dma, SZ_1G + size);
		dma_free_coherent(this->dev, SZ_8K, cpu, dma);
	}
	this->dev->coherent_dma_mask--;
	KUNIT_EXPECT_NULL(test, dma_contiguous_first_area(this->dev));
	/* The device must not free the map, which belongs to KUnit. */
	this->dev->dma_range_map = NULL;
}

/* The bus shows the area in two parts, with a hole of one page between them. */
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
	/* The bus shows the whole area, but not in one piece. */
	map[0].size += PAGE_SIZE;
	map[1].dma_start += PAGE_SIZE;
	KUNIT_EXPECT_NULL(test, dma_contiguous_first_area(this->dev));
	KUNIT_EXPECT_FALSE(test, dma_contiguous_reaches(this->dev,
							start + size / 2 -
							PAGE_SIZE, SZ_8K));
	this->dev->dma_range_map = NULL;
}

/* If the bus shows no memory, each failed request frees what it took. */
static void memory_hidden_by_the_bus(struct kunit *test)
{
	static const size_t sizes[] = { SZ_4K, SZ_64K, SZ_1M };
	static const gfp_t gfp[] = { GFP_KERNEL, GFP_ATOMIC };
	struct bus_dma_region map[] = { { .size = PAGE_SIZE }, { } };
	struct dma_case *this = test->priv;
	unsigned long nr_free;
	dma_addr_t dma;

	map[0].cpu_start = cma_get_end(this->cma) + SZ_1G;
	this->dev->dma_range_map = map;
	/* Freed pages may still be on per-CPU lists, which are not counted. */
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
		kunit_info(test,
			   "expect-splat: alloc failed, the bus does not show");
		KUNIT_EXPECT_NULL(test, dma_alloc_coherent(this->dev, SZ_4K,
							   &dma, GFP_KERNEL));
	}
	this->dev->dma_range_map = NULL;
	drain_all_pages(NULL);
	/* A leak would be 17 MiB. Other tasks may have taken some pages. */
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
	/* Call the function below the one that warns; the log stays clean. */
	cpu = arch_dma_alloc(this->dev, SZ_1M, &dma, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	KUNIT_EXPECT_EQ(test, dma_kunit_in_area(this, dma), reached);
	dma_kunit_use(test, cpu, SZ_1M);
	arch_dma_free(this->dev, SZ_1M, cpu, dma, 0);
}
#endif

/* Without an area in reach, the page allocator serves the device. */
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
	/* The page allocator can only keep to a limit that ends a zone. */
	if (cma_test_in_highmem(this->cma))
		KUNIT_EXPECT_NOT_NULL(test, cpu);
	if (!cpu)
		return;
	KUNIT_EXPECT_LE(test, (u64)dma + SZ_1M - 1, this->dev->bus_dma_limit);
	dma_kunit_use(test, cpu, SZ_1M);
	dma_free_coherent(this->dev, SZ_1M, cpu, dma);
}

/* Takes all pages of the area that it can get, in the largest pieces. */
static unsigned int dma_kunit_use_up(struct dma_case *this, struct page **pages,
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
	nr_taken = dma_kunit_use_up(this, pages, nr_pages, max);
	KUNIT_EXPECT_LT(test, nr_taken, max);

	/* The test fails if this request logs a message. */
	cpu = dma_alloc_coherent(this->dev, SZ_32K, &dma, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, cpu);
	if (cpu) {
		KUNIT_EXPECT_FALSE(test, dma_kunit_in_area(this, dma));
		dma_kunit_use(test, cpu, SZ_32K);
		dma_free_coherent(this->dev, SZ_32K, cpu, dma);
	}
	cpu = dma_alloc_coherent(this->dev, SZ_32K + SZ_4K, &dma,
				 GFP_KERNEL | __GFP_NOWARN);
	/* On ARM, only small buffers may come from elsewhere. */
	if (IS_ENABLED(CONFIG_ARM))
		KUNIT_EXPECT_NULL(test, cpu);
	if (cpu)
		dma_free_coherent(this->dev, SZ_32K + SZ_4K, cpu, dma);
	page = dma_alloc_pages(this->dev, SZ_256K, &dma, DMA_TO_DEVICE,
			       GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, page);
	if (page) {
		KUNIT_EXPECT_FALSE(test, dma_kunit_in_area(this, dma));
		dma_free_pages(this->dev, SZ_256K, page, dma, DMA_TO_DEVICE);
	}

	for (unsigned int i = 0; i < nr_taken; i++)
		cma_release(this->cma, pages[i], nr_pages[i]);
}

/* The gfp limits of a driver hold for the task until the request is done. */
static void gfp_limits_become_a_scope(struct kunit *test)
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
		dma_kunit_use(test, cpu, SZ_128K);
		dma_free_coherent(this->dev, SZ_128K, cpu, dma);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(attributes_are_heeded),
	KUNIT_CASE(memory_without_a_mapping),
	KUNIT_CASE(failures_are_quiet_on_request),
	KUNIT_CASE(cacheable_pages),
	KUNIT_CASE(cacheable_buffers),
	KUNIT_CASE(noncontiguous_buffers),
	KUNIT_CASE(tables_describe_the_buffer),
	KUNIT_CASE(managed_buffers_go_with_the_device),
	KUNIT_CASE(dma_pools),
	KUNIT_CASE(buffers_that_cannot_wait),
	KUNIT_CASE(coherent_devices),
	KUNIT_CASE(memory_is_within_reach),
	KUNIT_CASE(areas_out_of_reach),
	KUNIT_CASE(areas_that_a_bus_shows),
	KUNIT_CASE(areas_with_a_hole_for_the_device),
	KUNIT_CASE(memory_hidden_by_the_bus),
#ifdef CONFIG_ARM
	KUNIT_CASE(devices_without_a_mask),
#endif
	KUNIT_CASE(large_buffers_without_an_area),
	KUNIT_CASE(areas_that_are_used_up),
	KUNIT_CASE(gfp_limits_become_a_scope),
	{ }
};

static struct kunit_suite suite = {
	.name = "cma_dma",
	.init = dma_kunit_init,
	.exit = dma_kunit_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit tests of the DMA API on contiguous memory areas");
MODULE_LICENSE("GPL");
