// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of stores: which copy a page of a file gets back, and which pages
 * a store writes to. No file is read: mappings are addresses here.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/string.h>

#include "../../contig/store.h"

#define ORDER		7
#define NR_PAGES	128	/* of this order */
#define NR_FILES	3
#define NR_INDICES	100

static struct address_space files[NR_FILES];

/**
 * struct store_test - a store of its own
 * @store:	the store
 * @pages:	its pages
 * @data:	a page to copy to and from
 */
struct store_test {
	struct contig_store *store;
	struct page *pages;
	struct page *data;
};

static void store_test_mark(struct page *page, u32 value)
{
	u32 *addr = kmap_local_page(page);

	memset32(addr, value, PAGE_SIZE / sizeof(*addr));
	kunmap_local(addr);
}

/* Return: what all words of the page have; 0 if they differ. */
static u32 store_test_value(struct page *page)
{
	const u32 *addr = kmap_local_page(page);
	u32 value = addr[0];

	if (memchr_inv(addr, (u8)value, PAGE_SIZE) &&
	    memcmp(addr, addr + 1, PAGE_SIZE - sizeof(*addr)))
		value = 0;
	kunmap_local(addr);
	return value;
}

static bool store_test_put(struct store_test *data, unsigned int file,
			   pgoff_t index, u32 value)
{
	store_test_mark(data->data, value);
	return contig_store_put(data->store, &files[file], index, data->data,
				false);
}

/* Return: the value of the copy; 0 if there is none. */
static u32 store_test_get(struct store_test *data, unsigned int file,
			  pgoff_t index)
{
	store_test_mark(data->data, 0);
	if (!contig_store_get(data->store, &files[file], index, data->data))
		return 0;
	return store_test_value(data->data);
}

static unsigned long store_test_full(struct store_test *data)
{
	struct contig_store_stats stats;

	contig_store_read_stats(data->store, &stats);
	return stats.nr_full;
}

static int store_test_init(struct kunit *test)
{
	struct store_test *data = kunit_kzalloc(test, sizeof(*data), GFP_KERNEL);
	unsigned long pfn;

	KUNIT_ASSERT_NOT_NULL(test, data);
	test->priv = data;
	data->data = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, data->data);
	data->pages = alloc_pages(GFP_KERNEL, ORDER);
	KUNIT_ASSERT_NOT_NULL(test, data->pages);
	split_page(data->pages, ORDER);
	pfn = page_to_pfn(data->pages);
	data->store = contig_store_new(pfn, NR_PAGES);
	KUNIT_ASSERT_NOT_NULL(test, data->store);
	contig_store_give(data->store, pfn, NR_PAGES);
	return 0;
}

static void store_test_exit(struct kunit *test)
{
	struct store_test *data = test->priv;

	contig_store_free(data->store);
	for (unsigned int i = 0; data->pages && i < NR_PAGES; i++)
		__free_page(data->pages + i);
	if (data->data)
		__free_page(data->data);
}

static void a_copy_is_found_once(struct kunit *test)
{
	struct store_test *data = test->priv;

	KUNIT_EXPECT_EQ(test, store_test_get(data, 0, 5), 0);
	KUNIT_EXPECT_TRUE(test, store_test_put(data, 0, 5, 0x1234));
	KUNIT_EXPECT_TRUE(test, contig_store_knows(data->store, &files[0], 5));
	KUNIT_EXPECT_EQ(test, store_test_get(data, 1, 5), 0);
	KUNIT_EXPECT_EQ(test, store_test_get(data, 0, 6), 0);
	KUNIT_EXPECT_EQ(test, store_test_get(data, 0, 5), 0x1234);
	KUNIT_EXPECT_EQ(test, store_test_get(data, 0, 5), 0);
	KUNIT_EXPECT_EQ(test, store_test_full(data), 0);
}

static void the_last_copy_counts(struct kunit *test)
{
	struct store_test *data = test->priv;

	KUNIT_EXPECT_TRUE(test, store_test_put(data, 0, 5, 1));
	KUNIT_EXPECT_TRUE(test, store_test_put(data, 0, 5, 2));
	KUNIT_EXPECT_EQ(test, store_test_full(data), 1);
	KUNIT_EXPECT_EQ(test, store_test_get(data, 0, 5), 2);
	KUNIT_EXPECT_TRUE(test, store_test_put(data, 0, 5, 3));
	contig_store_forget(data->store, &files[0], 5);
	KUNIT_EXPECT_EQ(test, store_test_get(data, 0, 5), 0);
}

static void the_oldest_copy_is_replaced(struct kunit *test)
{
	struct store_test *data = test->priv;

	for (unsigned int i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_TRUE(test, store_test_put(data, 0, i, 1 + i));
	KUNIT_EXPECT_TRUE(test, store_test_put(data, 1, 0, 1000));
	KUNIT_EXPECT_EQ(test, store_test_full(data), NR_PAGES);
	KUNIT_EXPECT_EQ(test, store_test_get(data, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, store_test_get(data, 0, 1), 2);
	KUNIT_EXPECT_EQ(test, store_test_get(data, 1, 0), 1000);
}

static void copies_have_a_limit(struct kunit *test)
{
	struct store_test *data = test->priv;

	for (unsigned int i = 0; i < NR_PAGES; i++)
		store_test_put(data, 0, i, 1 + i);
	contig_store_set_max(data->store, NR_PAGES / 2);
	KUNIT_EXPECT_EQ(test, store_test_full(data), NR_PAGES / 2);
	contig_store_set_admission(data->store, UINT_MAX);
	/* The first of so many gets a copy. */
	KUNIT_EXPECT_TRUE(test, store_test_put(data, 1, 0, 1));
	KUNIT_EXPECT_FALSE(test, store_test_put(data, 1, 1, 1));
	contig_store_set_admission(data->store, 1);
	KUNIT_EXPECT_TRUE(test, store_test_put(data, 1, 1, 1));
	KUNIT_EXPECT_EQ(test, store_test_full(data), NR_PAGES / 2);
	contig_store_set_max(data->store, 0);
	KUNIT_EXPECT_FALSE(test, store_test_put(data, 1, 0, 1));
	KUNIT_EXPECT_EQ(test, store_test_get(data, 1, 0), 0);
}

/* A driver writes to its pages: no copy is read from or written to them. */
static void taken_pages_are_left_alone(struct kunit *test)
{
	struct store_test *data = test->priv;
	unsigned long pfn = page_to_pfn(data->pages);
	unsigned int nr_found = 0, nr_put = 0;

	for (unsigned int i = 0; i < NR_PAGES; i++)
		store_test_put(data, 0, i, 1 + i);
	contig_store_take(data->store, pfn + 3, NR_PAGES - 5);
	KUNIT_EXPECT_EQ(test, store_test_full(data), 5);
	for (unsigned int i = 3; i < NR_PAGES - 2; i++)
		store_test_mark(data->pages + i, 0xd0d0d0d0);
	for (unsigned int i = 0; i < NR_PAGES; i++)
		nr_found += store_test_get(data, 0, i) == 1 + i;
	KUNIT_EXPECT_EQ(test, nr_found, 5);
	for (unsigned int i = 0; i < 10; i++)
		nr_put += store_test_put(data, 1, i, 1 + i);
	KUNIT_EXPECT_EQ(test, nr_put, 10);
	for (unsigned int i = 3; i < NR_PAGES - 2; i++)
		KUNIT_EXPECT_EQ(test, store_test_value(data->pages + i),
				0xd0d0d0d0);

	contig_store_take(data->store, pfn, 3);
	contig_store_take(data->store, pfn + NR_PAGES - 2, 2);
	KUNIT_EXPECT_FALSE(test, store_test_put(data, 1, 0, 1));
	contig_store_give(data->store, pfn, NR_PAGES);
	contig_store_give(data->store, pfn + 1, NR_PAGES - 2);
	nr_put = 0;
	for (unsigned int i = 0; i < NR_PAGES; i++)
		nr_put += store_test_put(data, 2, i, 1 + i);
	KUNIT_EXPECT_EQ(test, nr_put, NR_PAGES);
	KUNIT_EXPECT_EQ(test, store_test_full(data), NR_PAGES);
	KUNIT_EXPECT_EQ(test, store_test_get(data, 2, 0), 1);
}

/* A program may still read a page of a buffer that was released. */
static void pages_in_use_are_left_alone(struct kunit *test)
{
	struct store_test *data = test->priv;
	unsigned int nr_put = 0;

	for (unsigned int i = 0; i < NR_PAGES; i++)
		get_page(data->pages + i);
	for (unsigned int i = 0; i < NR_PAGES; i++)
		nr_put += store_test_put(data, 0, i, 1);
	KUNIT_EXPECT_EQ(test, nr_put, 0);
	for (unsigned int i = 0; i < NR_PAGES; i++)
		put_page(data->pages + i);
}

/* Copies that nobody finds are made less often. */
static void admission_follows_what_is_found(struct kunit *test)
{
	struct store_test *data = test->priv;
	struct contig_store_stats stats;
	unsigned int nr_found = 0;

	/* Files that are read once. */
	for (unsigned int i = 0; i < 64 * NR_PAGES; i++)
		store_test_put(data, 0, i, 1);
	contig_store_read_stats(data->store, &stats);
	KUNIT_EXPECT_LT(test, stats.nr_added, 16 * NR_PAGES);

	/* A file twice as large as the store, read again and again. */
	for (unsigned int i = 0; i < 128 * NR_PAGES; i++) {
		if (store_test_get(data, 1, i % (2 * NR_PAGES)))
			nr_found++;
		store_test_put(data, 1, i % (2 * NR_PAGES), 1);
	}
	KUNIT_EXPECT_GT(test, nr_found, 16 * NR_PAGES);
}

static void random_calls_match_a_model(struct kunit *test)
{
	static u32 values[NR_FILES][NR_INDICES];
	struct store_test *data = test->priv;
	unsigned long pfn = page_to_pfn(data->pages);
	struct rnd_state random;
	unsigned int nr_found = 0;

	memset(values, 0, sizeof(values));
	prandom_seed_state(&random, 1);
	for (u32 i = 1; i < 20000; i++) {
		unsigned int file = prandom_u32_state(&random) % NR_FILES;
		pgoff_t index = prandom_u32_state(&random) % NR_INDICES;
		unsigned int first = prandom_u32_state(&random) % NR_PAGES;
		unsigned int nr = 1 + prandom_u32_state(&random) %
				      (NR_PAGES - first);
		u32 value;

		switch (prandom_u32_state(&random) % 8) {
		case 0 ... 3:
			store_test_put(data, file, index, i);
			values[file][index] = i;
			break;
		case 4 ... 5:
			value = store_test_get(data, file, index);
			nr_found += value != 0;
			if (value)
				KUNIT_EXPECT_EQ(test, value,
						values[file][index]);
			values[file][index] = 0;
			break;
		case 6:
			contig_store_forget(data->store, &files[file], index);
			values[file][index] = 0;
			break;
		case 7:
			contig_store_take(data->store, pfn + first, nr);
			contig_store_give(data->store, pfn + first, nr);
			break;
		}
	}
	KUNIT_EXPECT_GT(test, nr_found, 200);
}

static struct kunit_case store_test_cases[] = {
	KUNIT_CASE(a_copy_is_found_once),
	KUNIT_CASE(the_last_copy_counts),
	KUNIT_CASE(the_oldest_copy_is_replaced),
	KUNIT_CASE(copies_have_a_limit),
	KUNIT_CASE(taken_pages_are_left_alone),
	KUNIT_CASE(pages_in_use_are_left_alone),
	KUNIT_CASE(admission_follows_what_is_found),
	KUNIT_CASE(random_calls_match_a_model),
	{ }
};

static struct kunit_suite store_test_suite = {
	.name		= "cma_store",
	.init		= store_test_init,
	.exit		= store_test_exit,
	.test_cases	= store_test_cases,
};

kunit_test_suite(store_test_suite);

MODULE_DESCRIPTION("KUnit tests of copies of evicted page cache");
MODULE_LICENSE("GPL");
