// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what reports of failed requests are made of.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/seq_buf.h>
#include <linux/string.h>

#include "../internal.h"
#include "kunit_area.h"

/* The very last page comes first; a page that returns moves to the front. */
static void last_blockers_are_kept(struct kunit *test)
{
	static const unsigned long seen[] = { 1, 2, 3, 2, 4, 5, 5, 6 };
	static const unsigned long kept[] = { 6, 5, 4, 2 };
	struct cma_failure_cause cause = { };
	struct contig_blocker blocker = { .reason = CONTIG_BLOCK_NONE };

	cma_failure_note(&cause, &blocker);
	KUNIT_EXPECT_EQ(test, cause.blocker[0].reason, CONTIG_BLOCK_NONE);
	blocker.reason = CONTIG_BLOCK_PINNED;
	for (unsigned int i = 0; i < ARRAY_SIZE(seen); i++) {
		blocker.pfn = seen[i];
		cma_failure_note(&cause, &blocker);
		KUNIT_EXPECT_EQ(test, cause.blocker[0].pfn, seen[i]);
	}
	for (unsigned int i = 0; i < CMA_BLOCKERS; i++)
		KUNIT_EXPECT_EQ(test, cause.blocker[i].pfn, kept[i]);
}

/* 2^n is the longest time of bucket n, as in hist triggers. */
static void latencies_have_buckets(struct kunit *test)
{
	static const struct {
		u64 ns;
		unsigned int bucket;
	} cases[] = {
		{ 0, 0 }, { 1, 0 }, { 1999, 0 }, { 2000, 1 }, { 3000, 2 },
		{ 4000, 2 }, { 5000, 3 }, { 1024000, 10 }, { 1025000, 11 },
		{ 5000000000ULL, CMA_LATENCY_BUCKETS - 1 },
		{ U64_MAX, CMA_LATENCY_BUCKETS - 1 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, cma_latency_bucket(cases[i].ns),
				    cases[i].bucket, "%llu ns", cases[i].ns);
}

static void pages_have_kinds(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, contig_page_kind(page), CONTIG_PAGE_OTHER);
	__free_page(page);
	for (unsigned int kind = 0; kind < CMA_PAGE_NR; kind++)
		KUNIT_EXPECT_NOT_NULL(test, cma_page_kind_name(kind));
	KUNIT_EXPECT_FALSE(test, contig_page_can_go(CONTIG_PAGE_FREE));
	KUNIT_EXPECT_TRUE(test, contig_page_can_go(CONTIG_PAGE_CACHE));
	KUNIT_EXPECT_TRUE(test, contig_page_can_go(CONTIG_PAGE_HUGE));
	KUNIT_EXPECT_FALSE(test, contig_page_can_go(CONTIG_PAGE_PINNED));
}

/* Each page of an area is counted once, whatever happens beside this. */
static void census_has_each_page(struct kunit *test)
{
	struct cma *cma = cma_test_area(test);
	struct cma_census census;
	unsigned long nr_pages = 0;

	cma_count_pages(cma, &census);
	for (unsigned int kind = 0; kind < CMA_PAGE_NR; kind++)
		nr_pages += census.nr_pages[kind];
	KUNIT_EXPECT_EQ(test, nr_pages, cma->nr_pages);
	KUNIT_EXPECT_LE(test, cma_census_free(&census) +
			cma_census_can_go(&census), cma->nr_pages);
}

static void peers_and_free_pages_are_described(struct kunit *test)
{
	struct contig_blocker blocker = {
		.reason	= CONTIG_BLOCK_PEER,
		.pid	= task_pid_nr(current),
	};
	char text[128], wanted[64];
	struct page *page = alloc_page(GFP_KERNEL);
	struct seq_buf words;

	KUNIT_ASSERT_NOT_NULL(test, page);
	blocker.pfn = page_to_pfn(page);
	seq_buf_init(&words, text, sizeof(text));
	contig_blocker_describe(&blocker, &words);
	snprintf(wanted, sizeof(wanted), "request of %s (pid %d)",
		 current->comm, blocker.pid);
	KUNIT_EXPECT_STREQ(test, seq_buf_str(&words), wanted);

	blocker.reason = CONTIG_BLOCK_IN_USE;
	seq_buf_clear(&words);
	contig_blocker_describe(&blocker, &words);
	KUNIT_EXPECT_STREQ(test, seq_buf_str(&words),
			   "not a page of a program or file, 0 references, mapped 0 times");
	__free_page(page);
}

static struct kunit_case failure_cases[] = {
	KUNIT_CASE(last_blockers_are_kept),
	KUNIT_CASE(latencies_have_buckets),
	KUNIT_CASE(pages_have_kinds),
	KUNIT_CASE(census_has_each_page),
	KUNIT_CASE(peers_and_free_pages_are_described),
	{ }
};

static struct kunit_suite failure_suite = {
	.name = "cma_failure",
	.test_cases = failure_cases,
};

kunit_test_suite(failure_suite);
