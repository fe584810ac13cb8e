// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of compound buffers that are released in parts, one part after
 * the other and several at the same time.
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/cma.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/page_owner.h>
#include <linux/pgalloc_tag.h>

#include "../internal.h"
#include "kunit_area.h"
#include "kunit_huge.h"

#define PARTS_ORDER	5
#define NR_PARTS	BIT(PARTS_ORDER)
#define NR_ROUNDS	100

/* The second page has it where a page of its own has its memory cgroup. */
static void parts_test_forget_size(struct folio *folio)
{
#ifdef NR_PAGES_IN_LARGE_FOLIO
	folio->_nr_pages = 0;
#endif
}

/* Splits a folio the way hugetlb does when it demotes a large page. */
static void parts_test_dissolve(struct folio *folio)
{
	split_page_owner(&folio->page, PARTS_ORDER, 0);
	pgalloc_tag_split(folio, PARTS_ORDER, 0);
	parts_test_forget_size(folio);
	for (unsigned int i = 1; i < NR_PARTS; i++) {
		struct page *page = folio_page(folio, i);

		contig_flags_of(page) &= ~PAGE_FLAGS_CHECK_AT_FREE;
		page->mapping = NULL;
		clear_compound_head(page);
		set_page_count(page, 1);
	}
	__folio_clear_head(folio);
}

static struct page *parts_test_alloc(struct kunit *test, struct cma *cma)
{
	struct folio *folio = cma_test_alloc_folio(cma, PARTS_ORDER);
	struct page *page;

	KUNIT_ASSERT_NOT_NULL(test, folio);
	page = folio_page(folio, 0);
	parts_test_dissolve(folio);
	return page;
}

static void windows_go_with_the_last_part(struct kunit *test)
{
	struct cma *cma = test->priv;
	unsigned long before = cma_test_nr_held(cma);
	struct page *page = parts_test_alloc(test, cma);

	for (unsigned int i = 0; i < NR_PARTS; i++) {
		KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before + NR_PARTS);
		KUNIT_EXPECT_TRUE(test, cma_release(cma, page + i, 1));
	}
	KUNIT_EXPECT_EQ(test, cma_test_nr_held(cma), before);
}

struct half {
	struct cma *cma;
	struct page *page;	/* first page; every second one follows */
	struct completion done;
};

static int parts_test_release_half(void *data)
{
	struct half *half = data;

	for (unsigned int i = 0; i < NR_PARTS; i += 2)
		cma_release(half->cma, half->page + i, 1);
	complete(&half->done);
	return 0;
}

static void parts_come_back_at_once(struct kunit *test)
{
	struct cma *cma = test->priv;
	unsigned long before = cma_test_nr_held(cma);

	for (unsigned int round = 0; round < NR_ROUNDS; round++) {
		struct page *page = parts_test_alloc(test, cma);
		struct half even = { .cma = cma, .page = page };
		struct half odd = { .cma = cma, .page = page + 1 };
		struct task_struct *task;

		init_completion(&even.done);
		init_completion(&odd.done);
		task = kthread_run(parts_test_release_half, &odd, "cma_parts");
		parts_test_release_half(&even);
		if (IS_ERR(task))
			parts_test_release_half(&odd);
		wait_for_completion(&odd.done);
		KUNIT_ASSERT_EQ(test, cma_test_nr_held(cma), before);
	}
}

static struct kunit_case parts_cases[] = {
	KUNIT_CASE(windows_go_with_the_last_part),
	KUNIT_CASE(parts_come_back_at_once),
	{}
};

static struct kunit_suite parts_suite = {
	.name = "cma_parts",
	.init = cma_test_use_area,
	.test_cases = parts_cases,
};

kunit_test_suites(&parts_suite);

MODULE_DESCRIPTION("KUnit tests of compound buffers released in parts");
MODULE_LICENSE("GPL");
