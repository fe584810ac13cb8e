// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the range allocator on pages of the default area. They cover
 * pageblocks that others have isolated, pages that others refer to, requests
 * that meet in a pageblock, and compound pages. Units are pages.
 */
#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/cma.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/oom.h>
#include <linux/page-isolation.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

#include "../../contig/hooks.h"
#include "../../contig/kernel.h"
#include "../internal.h"
#include "../placement.h"
#include "kunit_area.h"
#include "kunit_huge.h"

/* Far longer than any step takes that does not wait for the test. */
#define WAIT_MS		10000
#define PEER_TIME	(HZ / 5)	/* less than NOIO waits for a peer */
#define PEER_TRIES	20
#define LOOK_MS		20
#define LISTED_PAGES	64	/* so few stay on the list of a CPU */

/* Returns the pfn of a window of the area that is free right now. */
static unsigned long contig_test_window(struct kunit *test,
					unsigned long nr_pages,
					unsigned int align_order)
{
	struct cma *cma = test->priv;
	struct page *page = cma_alloc(cma, nr_pages, align_order, false);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_TRUE(test, cma_release(cma, page, nr_pages));
	return page_to_pfn(page);
}

static int contig_test_take(unsigned long start_pfn, unsigned long nr_pages)
{
	return alloc_contig_range(start_pfn, start_pfn + nr_pages, ACR_FLAGS_CMA,
				  GFP_KERNEL);
}

static unsigned long contig_test_nr_free(struct zone *zone)
{
	drain_all_pages(zone);
	return zone_page_state_snapshot(zone, NR_FREE_CMA_PAGES);
}

/* A failure reports the isolated block and restores the blocks before it. */
static void isolated_blocks_are_reported(struct kunit *test)
{
	unsigned long start = contig_test_window(test, 3 * pageblock_nr_pages,
						 pageblock_order);
	unsigned long last = start + 2 * pageblock_nr_pages;
	struct contig_request req = {
		.start_pfn	= start + 5,
		.end_pfn	= last + 7,
		.zone		= page_zone(pfn_to_page(start)),
		.gfp		= GFP_KERNEL,
		.in_area	= true,
		.patient	= true,
	};
	unsigned long before = contig_test_nr_free(req.zone);
	unsigned long nr_isolated, nr_free;

	KUNIT_ASSERT_EQ(test, contig_isolate_start(last, last + 1, MIGRATE_CMA,
						   GFP_KERNEL), 0);
	nr_free = contig_test_nr_free(req.zone);
	nr_isolated = req.zone->nr_isolate_pageblock;
	KUNIT_EXPECT_EQ(test, alloc_hooks(contig_alloc(&req)), -EBUSY);
	KUNIT_EXPECT_EQ(test, req.blocker.reason, CONTIG_BLOCK_ISOLATED);
	KUNIT_EXPECT_EQ(test, req.blocker.pfn, last);
	KUNIT_EXPECT_EQ(test, contig_test_nr_free(req.zone), nr_free);
	KUNIT_EXPECT_EQ(test, req.zone->nr_isolate_pageblock, nr_isolated);
	for (unsigned long pfn = start; pfn < last; pfn += pageblock_nr_pages)
		KUNIT_EXPECT_TRUE(test, is_migrate_cma_page(pfn_to_page(pfn)));
	KUNIT_EXPECT_TRUE(test, is_migrate_isolate_page(pfn_to_page(last)));

	contig_isolate_end(last, last + 1, MIGRATE_CMA);
	KUNIT_EXPECT_TRUE(test, is_migrate_cma_page(pfn_to_page(last)));
	KUNIT_EXPECT_EQ(test, contig_test_nr_free(req.zone), before);
	KUNIT_EXPECT_EQ(test, alloc_hooks(contig_alloc(&req)), 0);
	contig_free(req.start_pfn, req.end_pfn - req.start_pfn);
	KUNIT_EXPECT_EQ(test, contig_test_nr_free(req.zone), before);
}

/* A reference keeps its page after the range is freed, but no other page. */
static void referenced_pages_outlast_their_range(struct kunit *test)
{
	unsigned long start = contig_test_window(test, 64, 0);
	struct page *page = pfn_to_page(start + 10);

	KUNIT_ASSERT_EQ(test, contig_test_take(start, 64), 0);
	get_page(page);
	free_contig_range(start, 64);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	KUNIT_EXPECT_EQ(test, contig_test_take(start + 10, 1), -EBUSY);

	/* All other pages are free. */
	KUNIT_EXPECT_EQ(test, contig_test_take(start, 10), 0);
	KUNIT_EXPECT_EQ(test, contig_test_take(start + 11, 53), 0);
	free_contig_range(start, 10);
	free_contig_range(start + 11, 53);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);

	put_page(page);
	KUNIT_EXPECT_EQ(test, contig_test_take(start, 64), 0);
	free_contig_range(start, 64);
}

static void compound_pages_are_freed_as_a_whole(struct kunit *test)
{
	unsigned long start = contig_test_window(test, 16, 4);
	struct folio *folio = pfn_folio(start);

	KUNIT_ASSERT_EQ(test, alloc_contig_range(start, start + 16, ACR_FLAGS_CMA,
						 GFP_KERNEL | __GFP_COMP), 0);
	KUNIT_ASSERT_EQ(test, folio_nr_pages(folio), 16);

	kunit_info(test, "expect-splat: WARNING: .* free_contig_range");
	free_contig_range(start, 15);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);
	KUNIT_EXPECT_EQ(test, folio_nr_pages(folio), 16);

	free_contig_range(start, 16);
	KUNIT_EXPECT_EQ(test, contig_test_take(start, 16), 0);
	free_contig_range(start, 16);
}

/**
 * struct asker - a thread that allocates one page of an area
 * @pfn:	the page
 * @gfp:	flags of the request
 * @error:	result of the request
 * @done:	completed when @error is set
 * @task:	the thread
 */
struct asker {
	unsigned long pfn;
	gfp_t gfp;
	int error;
	struct completion done;
	struct task_struct *task;
};

static int contig_test_ask(void *arg)
{
	struct asker *asker = arg;

	allow_signal(SIGKILL);
	asker->error = alloc_contig_range(asker->pfn, asker->pfn + 1,
					  ACR_FLAGS_CMA, asker->gfp);
	complete_all(&asker->done);
	return 0;
}

static void contig_test_start(struct kunit *test, struct asker *asker,
			      unsigned long pfn, gfp_t gfp)
{
	asker->pfn = pfn;
	asker->gfp = gfp;
	init_completion(&asker->done);
	asker->task = kthread_create(contig_test_ask, asker, "cma-asker");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, asker->task);
	get_task_struct(asker->task);
	wake_up_process(asker->task);
}

static void contig_test_end(struct asker *asker)
{
	wait_for_completion(&asker->done);
	kthread_stop_put(asker->task);
}

static unsigned int contig_test_flags;

static int contig_test_migrate(struct address_space *mapping, struct folio *dst,
			       struct folio *src, enum migrate_mode mode)
{
	contig_test_flags = current->flags;
	return filemap_migrate_folio(mapping, dst, src, mode);
}

/* Opens a file whose page cache only this test knows. */
static struct file *contig_test_open_file(struct kunit *test)
{
	static const struct address_space_operations mapping_ops = {
		.dirty_folio	= noop_dirty_folio,
		.migrate_folio	= contig_test_migrate,
	};
	static const struct file_operations file_ops = { };
	struct file *file = anon_inode_create_getfile("[cma-test]", &file_ops,
						      NULL, O_RDWR, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	file->f_mapping->a_ops = &mapping_ops;
	return file;
}

/*
 * Makes a page of the area page cache that was used twice: it is copied and not
 * dropped. The folio is locked and only the page cache refers to it. The next
 * page is free.
 */
static struct folio *contig_test_locked_folio(struct kunit *test,
					      struct file *file)
{
	unsigned long pfn = contig_test_window(test, 2, 1);
	struct folio *folio = pfn_folio(pfn);

	KUNIT_ASSERT_EQ(test, contig_test_take(pfn, 1), 0);
	KUNIT_ASSERT_EQ(test, filemap_add_folio(file->f_mapping, folio, 0,
						GFP_KERNEL), 0);
	folio_mark_uptodate(folio);
	folio_mark_accessed(folio);
	folio_mark_accessed(folio);
	folio_put(folio);
	return folio;
}

static bool contig_test_wait_isolated(struct page *page)
{
	for (int ms = 0; ms < WAIT_MS; ms += LOOK_MS) {
		if (is_migrate_isolate_page(page))
			return true;
		msleep(LOOK_MS);
	}
	return false;
}

static bool contig_test_waits_killably(const struct task_struct *task)
{
	for (int ms = 0; ms < WAIT_MS; ms += LOOK_MS) {
		if ((READ_ONCE(task->__state) & TASK_KILLABLE) == TASK_KILLABLE)
			return true;
		msleep(LOOK_MS);
	}
	return false;
}

/*
 * The first thread has claimed the pageblock and waits for the lock of a page
 * in it. The second thread waits for the first one until it is killed.
 */
static void waiting_for_a_peer_can_be_killed(struct kunit *test)
{
	struct file *file = contig_test_open_file(test);
	struct folio *folio = contig_test_locked_folio(test, file);
	unsigned long pfn = folio_pfn(folio);
	struct asker *first = kunit_kzalloc(test, sizeof(*first), GFP_KERNEL);
	struct asker *second = kunit_kzalloc(test, sizeof(*second), GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, first && second);
	contig_test_start(test, first, pfn, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, contig_test_wait_isolated(&folio->page));
	contig_test_start(test, second, pfn, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, contig_test_waits_killably(second->task));
	send_sig(SIGKILL, second->task, 1);
	wait_for_completion_timeout(&second->done, msecs_to_jiffies(WAIT_MS));
	KUNIT_EXPECT_TRUE(test, completion_done(&second->done));
	KUNIT_EXPECT_FALSE(test, completion_done(&first->done));

	folio_unlock(folio);
	contig_test_end(first);
	contig_test_end(second);
	KUNIT_EXPECT_EQ(test, second->error, -EINTR);
	KUNIT_EXPECT_EQ(test, first->error, 0);
	if (!first->error)
		free_contig_range(pfn, 1);
	if (!second->error)
		free_contig_range(pfn, 1);
	fput(file);

	/* No claim stays behind. */
	KUNIT_EXPECT_EQ(test, contig_test_take(pfn, 1), 0);
	free_contig_range(pfn, 1);
}

/* A caller without __GFP_FS may itself hold the folio lock. */
static void nofs_requests_do_not_wait_for_folios(struct kunit *test)
{
	const gfp_t gfps[] = { GFP_NOFS, GFP_NOIO };
	struct asker *asker = kunit_kzalloc(test, sizeof(*asker), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, asker);
	for (unsigned int i = 0; i < ARRAY_SIZE(gfps); i++) {
		struct file *file = contig_test_open_file(test);
		struct folio *folio = contig_test_locked_folio(test, file);
		unsigned long pfn = folio_pfn(folio);

		contig_test_start(test, asker, pfn, gfps[i]);
		wait_for_completion_timeout(&asker->done,
					    msecs_to_jiffies(WAIT_MS));
		KUNIT_EXPECT_TRUE(test, completion_done(&asker->done));
		folio_unlock(folio);
		contig_test_end(asker);
		KUNIT_EXPECT_EQ(test, asker->error, -EBUSY);
		if (!asker->error)
			free_contig_range(pfn, 1);
		fput(file);
	}
}

/* Targets of large folios have gfp flags of their own; a scope limits these. */
static void gfp_limits_become_a_task_scope(struct kunit *test)
{
	const struct {
		gfp_t gfp;
		unsigned int scope;
	} cases[] = {
		{ GFP_KERNEL, 0 },
		{ GFP_NOFS, PF_MEMALLOC_NOFS },
		{ GFP_NOIO, PF_MEMALLOC_NOIO },
	};
	const unsigned int scopes = PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file *file = contig_test_open_file(test);
		struct folio *folio = contig_test_locked_folio(test, file);
		unsigned long pfn = folio_pfn(folio);

		folio_unlock(folio);
		/* A batch of this CPU may refer to it, or not. */
		if (i % 2)
			lru_add_drain();
		contig_test_flags = -1;
		KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 1,
							 ACR_FLAGS_CMA,
							 cases[i].gfp), 0);
		KUNIT_EXPECT_EQ(test, contig_test_flags & scopes,
				cases[i].scope);
		KUNIT_EXPECT_EQ(test, current->flags & scopes, 0);
		free_contig_range(pfn, 1);
		fput(file);
	}
}

/* Returns false if it took so long that the NOIO request may have given up. */
static bool contig_test_noio_peer(struct kunit *test)
{
	struct file *file = contig_test_open_file(test);
	struct folio *folio = contig_test_locked_folio(test, file);
	unsigned long pfn = folio_pfn(folio), other = pfn + 1, start;
	struct asker *first = kunit_kzalloc(test, sizeof(*first), GFP_KERNEL);
	struct asker *second = kunit_kzalloc(test, sizeof(*second), GFP_KERNEL);
	bool in_time;

	KUNIT_ASSERT_TRUE(test, first && second);
	contig_test_start(test, first, pfn, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, contig_test_wait_isolated(&folio->page));
	contig_test_start(test, second, other, GFP_NOIO);
	contig_test_end(second);
	KUNIT_EXPECT_EQ(test, second->error, -EBUSY);

	start = jiffies;
	contig_test_start(test, second, other, GFP_NOIO);
	in_time = contig_test_waits_killably(second->task);
	folio_unlock(folio);
	contig_test_end(first);
	contig_test_end(second);
	in_time = in_time && time_before(jiffies, start + PEER_TIME);
	KUNIT_EXPECT_EQ(test, first->error, 0);
	if (in_time)
		KUNIT_EXPECT_EQ(test, second->error, 0);
	if (!first->error)
		free_contig_range(pfn, 1);
	if (!second->error)
		free_contig_range(other, 1);
	fput(file);
	return in_time;
}

/* A request waits a quarter of a second, and an emulator may pause as long. */
static void noio_requests_wait_briefly_for_peers(struct kunit *test)
{
	for (unsigned int i = 0; i < PEER_TRIES; i++)
		if (contig_test_noio_peer(test))
			return;
	KUNIT_FAIL(test, "it never was in time");
}

/* A copy replaces its page in lists and counters, so its zone must match. */
static void targets_match_the_zone(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct zone *zone, *other;
	LIST_HEAD(targets);

	KUNIT_ASSERT_NOT_NULL(test, page);
	zone = page_zone(page);
	other = zone == &zone->zone_pgdat->node_zones[0] ? zone + 1 : zone - 1;

	/* contig_target_keep() drops a reference, or takes it over. */
	get_page(page);
	contig_target_keep(other, page_folio(page), &targets);
	KUNIT_EXPECT_TRUE(test, list_empty(&targets));
	KUNIT_ASSERT_EQ(test, page_count(page), 1);

	contig_target_keep(zone, page_folio(page), &targets);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	KUNIT_EXPECT_PTR_EQ(test, contig_target_get(&targets),
			    page_folio(page));
	KUNIT_EXPECT_TRUE(test, PageLocked(page));
	KUNIT_EXPECT_TRUE(test, list_empty(&targets));
	KUNIT_EXPECT_NULL(test, contig_target_get(&targets));
	unlock_page(page);
	__free_page(page);
}

/* memory_failure() locks a page that it handles. */
static void locked_pages_are_no_targets(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);
	LIST_HEAD(targets);

	KUNIT_ASSERT_NOT_NULL(test, page);
	lock_page(page);
	get_page(page);
	list_add(&page->lru, &targets);
	KUNIT_EXPECT_NULL(test, contig_target_get(&targets));
	KUNIT_EXPECT_TRUE(test, list_empty(&targets));
	KUNIT_EXPECT_TRUE(test, PageLocked(page));
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	unlock_page(page);
	__free_page(page);
}

/* A folio would be freed to the buddy allocator even in an exclusive area. */
static void areas_with_folios_out_stay_shared(struct kunit *test)
{
	struct cma *cma = test->priv;
	struct folio *folio = cma_test_alloc_folio(cma, 2);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	kunit_info(test,
		   "expect-splat: cma: .* failed, ret: -16, compound pages are out: 1");
	KUNIT_EXPECT_EQ(test, cma_set_mode(cma, CMA_EXCLUSIVE), -EBUSY);
	KUNIT_EXPECT_EQ(test, cma->mode, CMA_SHARED);
	KUNIT_EXPECT_FALSE(test, PageReserved(pfn_to_page(cma->range.start)));
	KUNIT_EXPECT_TRUE(test, cma_test_free_folio(cma, folio));

	KUNIT_EXPECT_EQ(test, cma_set_mode(cma, CMA_EXCLUSIVE), 0);
	KUNIT_EXPECT_EQ(test, cma_set_mode(cma, CMA_SHARED), 0);
}

/* A survey checks the last blocker first; it may no longer be in the way. */
static void surveys_begin_with_the_last_blocker(struct kunit *test)
{
	const unsigned long nr_pages = 64, held = 5;
	struct cma *cma = test->priv;
	struct page *page = cma_alloc(cma, nr_pages, ilog2(nr_pages), false);
	unsigned long pfn;
	struct contig_survey survey;

	KUNIT_ASSERT_NOT_NULL(test, page);
	pfn = page_to_pfn(page);
	/* A blocker of an earlier test is remembered for a while. */
	for (unsigned int ms = 0; ms < WAIT_MS &&
	     contig_blocker_recall(pfn, pfn + nr_pages,
				   &survey.blocker); ms += 20)
		msleep(20);
	get_page(page + held);
	for (int round = 0; round < 2; round++) {
		contig_survey_window(pfn, pfn + nr_pages, &survey);
		KUNIT_EXPECT_EQ(test, survey.blocker.reason,
				CONTIG_BLOCK_OFF_LRU);
		KUNIT_EXPECT_EQ(test, survey.blocker.pfn, pfn + held);
		/* The survey may check another blocker before this one. */
		KUNIT_EXPECT_LE(test, survey.nr_looked,
				round ? 1 : nr_pages - held + 1);
	}
	/* The rest of the window has no blocker. */
	contig_survey_window(pfn + held + 1, pfn + nr_pages, &survey);
	KUNIT_EXPECT_EQ(test, survey.blocker.reason, CONTIG_BLOCK_NONE);

	put_page(page + held);
	contig_survey_window(pfn, pfn + nr_pages, &survey);
	KUNIT_EXPECT_EQ(test, survey.blocker.reason, CONTIG_BLOCK_NONE);
	KUNIT_EXPECT_EQ(test, survey.nr_looked, nr_pages + 1);
	KUNIT_EXPECT_TRUE(test, cma_release(cma, page, nr_pages));
}

struct question {
	struct work_struct work;
	struct zone *zone;
	bool defers;
};

static void contig_test_question(struct work_struct *work)
{
	struct question *question = container_of(work, struct question, work);

	question->defers = contig_defers_kswapd(question->zone);
}

/* Only a reclaiming task defers kswapd, and not below the min watermark. */
static void requests_do_not_wake_kswapd(struct kunit *test)
{
	struct zone *zone = page_zone(pfn_to_page(contig_test_window(test, 1,
								     0)));
	struct question question = { .zone = zone };
	struct contig_reclaimer self;
	unsigned long nr_min, flags;
	bool when_short;

	INIT_WORK_ONSTACK(&question.work, contig_test_question);
	KUNIT_EXPECT_FALSE(test, contig_defers_kswapd(zone));
	contig_begin_reclaim(&self);
	KUNIT_EXPECT_TRUE(test, contig_defers_kswapd(zone));
	schedule_work(&question.work);
	flush_work(&question.work);
	KUNIT_EXPECT_FALSE(test, question.defers);

	local_irq_save(flags);
	nr_min = zone->_watermark[WMARK_MIN];
	zone->_watermark[WMARK_MIN] = 2 * zone_managed_pages(zone);
	when_short = contig_defers_kswapd(zone);
	zone->_watermark[WMARK_MIN] = nr_min;
	local_irq_restore(flags);
	if (zone_idx(zone) <= ZONE_NORMAL)
		KUNIT_EXPECT_FALSE(test, when_short);

	contig_end_reclaim(&self, zone, GFP_KERNEL);
	KUNIT_EXPECT_FALSE(test, contig_defers_kswapd(zone));
	destroy_work_on_stack(&question.work);
}

/* A request must find what it reclaimed: no list of a CPU may keep that. */
static void reclaim_leaves_no_lists(struct kunit *test)
{
	struct page *pages[LISTED_PAGES];
	struct per_cpu_pages *pcp;
	struct zone *zone;

	migrate_disable();
	for (unsigned int i = 0; i < LISTED_PAGES; i++)
		pages[i] = alloc_page(GFP_KERNEL | __GFP_NOFAIL);
	for (unsigned int i = 0; i < LISTED_PAGES; i++)
		__free_page(pages[i]);
	zone = page_zone(pages[0]);
	pcp = this_cpu_ptr(zone->per_cpu_pageset);
	KUNIT_EXPECT_EQ(test, READ_ONCE(pcp->count) >= LISTED_PAGES / 2,
			CONTIG_CPUS_HAVE_LISTS);
	contig_reclaim_some(zone, GFP_KERNEL);
	KUNIT_EXPECT_LT(test, READ_ONCE(pcp->count), LISTED_PAGES / 2);
	migrate_enable();
}

/*
 * Somebody else may free pages between the failure of an allocation and the step
 * before a program is killed.
 */
static void enough_pages_are_tried_again(struct kunit *test)
{
	struct alloc_context ac = {
		.zonelist	= node_zonelist(numa_node_id(), GFP_KERNEL),
		.highest_zoneidx = gfp_zone(GFP_KERNEL),
	};

	mutex_lock(&oom_lock);
	KUNIT_EXPECT_TRUE(test, contig_fill_before_oom(&ac, GFP_KERNEL, 0));
	/* They are not contiguous, or nobody would be killed. */
	KUNIT_EXPECT_FALSE(test, contig_fill_before_oom(&ac, GFP_KERNEL, 1));
	mutex_unlock(&oom_lock);
}

/**
 * struct way - a page that gets to a free list after a while
 * @work:	puts it there
 * @page:	the page, without references
 */
struct way {
	struct delayed_work work;
	struct page *page;
};

static void contig_test_end_way(struct work_struct *work)
{
	struct way *way = container_of(to_delayed_work(work), struct way, work);

	set_page_count(way->page, 1);
	__free_page(way->page);
}

/* The task that frees a page may be preempted before the page is on a list. */
static void pages_on_their_way_are_awaited(struct kunit *test)
{
	unsigned long start = contig_test_window(test, pageblock_nr_pages,
						 pageblock_order);
	struct contig_request page_req = {
		.start_pfn	= start + 7,
		.end_pfn	= start + 8,
		.zone		= page_zone(pfn_to_page(start)),
		.gfp		= GFP_KERNEL,
		.in_area	= true,
		.frozen		= true,
	};
	struct contig_request req = page_req;
	struct way way = { .page = pfn_to_page(page_req.start_pfn) };
	int error;

	KUNIT_ASSERT_EQ(test, alloc_hooks(contig_take_free(&page_req)), 0);
	req.start_pfn = start;
	req.end_pfn = start + pageblock_nr_pages;
	req.frozen = false;
	KUNIT_EXPECT_EQ(test, alloc_hooks(contig_alloc(&req)), -EBUSY);
	KUNIT_EXPECT_EQ(test, req.blocker.pfn, page_req.start_pfn);

	INIT_DELAYED_WORK_ONSTACK(&way.work, contig_test_end_way);
	schedule_delayed_work(&way.work, 2);
	req.patient = true;
	error = alloc_hooks(contig_alloc(&req));
	KUNIT_EXPECT_EQ(test, error, 0);
	if (!error)
		free_contig_range(start, pageblock_nr_pages);
	flush_delayed_work(&way.work);
	destroy_delayed_work_on_stack(&way.work);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(isolated_blocks_are_reported),
	KUNIT_CASE(surveys_begin_with_the_last_blocker),
	KUNIT_CASE(referenced_pages_outlast_their_range),
	KUNIT_CASE(compound_pages_are_freed_as_a_whole),
	KUNIT_CASE(waiting_for_a_peer_can_be_killed),
	KUNIT_CASE(nofs_requests_do_not_wait_for_folios),
	KUNIT_CASE(gfp_limits_become_a_task_scope),
	KUNIT_CASE(noio_requests_wait_briefly_for_peers),
	KUNIT_CASE(targets_match_the_zone),
	KUNIT_CASE(locked_pages_are_no_targets),
	KUNIT_CASE(requests_do_not_wake_kswapd),
	KUNIT_CASE(reclaim_leaves_no_lists),
	KUNIT_CASE(enough_pages_are_tried_again),
	KUNIT_CASE(pages_on_their_way_are_awaited),
	/* The switch of the mode retries for ten seconds. */
	KUNIT_CASE_ATTR(areas_with_folios_out_stay_shared,
			{ .speed = KUNIT_SPEED_VERY_SLOW }),
	{ }
};

static struct kunit_suite suite = {
	.name = "cma_contig",
	.init = cma_test_use_area,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit tests of the range allocator");
MODULE_LICENSE("GPL");
