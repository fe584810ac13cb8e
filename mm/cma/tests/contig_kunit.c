// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the range allocator on pages of the default area: pageblocks
 * that somebody else has isolated, pages that somebody else refers to, requests
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
#include <linux/page-isolation.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/vmstat.h>

#include "../../internal.h"
#include "../internal.h"
#include "../placement.h"
#include "kunit_area.h"

/* More than enough for anything that does not wait for us. */
#define WAIT_MS		10000
#define PEER_TIME	(HZ / 5)	/* less than I/O waits for a peer */
#define PEER_TRIES	20
#define LOOK_MS		20

static int init_case(struct kunit *test)
{
	test->priv = area_or_skip(test);
	return 0;
}

/* The first of @nr_pages pages of the area that are free right now. */
static unsigned long free_window(struct kunit *test, unsigned long nr_pages,
				 unsigned int align_order)
{
	struct cma *cma = test->priv;
	struct page *page = cma_alloc(cma, nr_pages, align_order, false);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_TRUE(test, cma_release(cma, page, nr_pages));
	return page_to_pfn(page);
}

static int take(unsigned long start_pfn, unsigned long nr_pages)
{
	return alloc_contig_range(start_pfn, start_pfn + nr_pages, MIGRATE_CMA,
				  GFP_KERNEL);
}

static unsigned long nr_free_cma(struct zone *zone)
{
	drain_all_pages(zone);
	return zone_page_state_snapshot(zone, NR_FREE_CMA_PAGES);
}

/* A block that is not ours is named, and those before it are as they were. */
static void isolated_blocks_are_named(struct kunit *test)
{
	unsigned long start = free_window(test, 3 * pageblock_nr_pages,
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
	unsigned long before = nr_free_cma(req.zone), nr_isolated, nr_free;

	KUNIT_ASSERT_EQ(test, start_isolate_page_range(last, last + 1,
						       MIGRATE_CMA, 0,
						       GFP_KERNEL), 0);
	nr_free = nr_free_cma(req.zone);
	nr_isolated = req.zone->nr_isolate_pageblock;
	KUNIT_EXPECT_EQ(test, alloc_hooks(contig_alloc(&req)), -EBUSY);
	KUNIT_EXPECT_EQ(test, req.blocker.reason, CONTIG_BLOCK_ISOLATED);
	KUNIT_EXPECT_EQ(test, req.blocker.pfn, last);
	KUNIT_EXPECT_EQ(test, nr_free_cma(req.zone), nr_free);
	KUNIT_EXPECT_EQ(test, req.zone->nr_isolate_pageblock, nr_isolated);
	for (unsigned long pfn = start; pfn < last; pfn += pageblock_nr_pages)
		KUNIT_EXPECT_TRUE(test, is_migrate_cma_page(pfn_to_page(pfn)));
	KUNIT_EXPECT_TRUE(test, is_migrate_isolate_page(pfn_to_page(last)));

	undo_isolate_page_range(last, last + 1, MIGRATE_CMA);
	KUNIT_EXPECT_TRUE(test, is_migrate_cma_page(pfn_to_page(last)));
	KUNIT_EXPECT_EQ(test, nr_free_cma(req.zone), before);
	KUNIT_EXPECT_EQ(test, alloc_hooks(contig_alloc(&req)), 0);
	contig_free(req.start_pfn, req.end_pfn - req.start_pfn);
	KUNIT_EXPECT_EQ(test, nr_free_cma(req.zone), before);
}

/* Who still has a reference has the page, and nothing but the page. */
static void pages_outlast_their_range(struct kunit *test)
{
	unsigned long start = free_window(test, 64, 0);
	struct page *page = pfn_to_page(start + 10);

	KUNIT_ASSERT_EQ(test, take(start, 64), 0);
	get_page(page);
	free_contig_range(start, 64);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	KUNIT_EXPECT_EQ(test, take(start + 10, 1), -EBUSY);

	/* All others are free. */
	KUNIT_EXPECT_EQ(test, take(start, 10), 0);
	KUNIT_EXPECT_EQ(test, take(start + 11, 53), 0);
	free_contig_range(start, 10);
	free_contig_range(start + 11, 53);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);

	put_page(page);
	KUNIT_EXPECT_EQ(test, take(start, 64), 0);
	free_contig_range(start, 64);
}

static void compound_pages_go_as_a_whole(struct kunit *test)
{
	unsigned long start = free_window(test, 16, 4);
	struct folio *folio = pfn_folio(start);

	KUNIT_ASSERT_EQ(test, alloc_contig_range(start, start + 16, MIGRATE_CMA,
						 GFP_KERNEL | __GFP_COMP), 0);
	KUNIT_ASSERT_EQ(test, folio_nr_pages(folio), 16);

	kunit_info(test, "expect-splat: WARNING: .* free_contig_range");
	free_contig_range(start, 15);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);
	KUNIT_EXPECT_EQ(test, folio_nr_pages(folio), 16);

	free_contig_range(start, 16);
	KUNIT_EXPECT_EQ(test, take(start, 16), 0);
	free_contig_range(start, 16);
}

/**
 * struct asker - a thread that asks for one page of an area
 * @pfn:	the page
 * @gfp:	how
 * @error:	what came of it
 * @done:	once that is known
 * @task:	which
 */
struct asker {
	unsigned long pfn;
	gfp_t gfp;
	int error;
	struct completion done;
	struct task_struct *task;
};

static int ask(void *arg)
{
	struct asker *asker = arg;

	allow_signal(SIGKILL);
	asker->error = alloc_contig_range(asker->pfn, asker->pfn + 1,
					  MIGRATE_CMA, asker->gfp);
	complete_all(&asker->done);
	return 0;
}

static void start_asking(struct kunit *test, struct asker *asker,
			 unsigned long pfn, gfp_t gfp)
{
	asker->pfn = pfn;
	asker->gfp = gfp;
	init_completion(&asker->done);
	asker->task = kthread_create(ask, asker, "cma-asker");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, asker->task);
	get_task_struct(asker->task);
	wake_up_process(asker->task);
}

static void end_asking(struct asker *asker)
{
	wait_for_completion(&asker->done);
	kthread_stop_put(asker->task);
}

static unsigned int mover_flags;

static int migrate_noted(struct address_space *mapping, struct folio *dst,
			 struct folio *src, enum migrate_mode mode)
{
	mover_flags = current->flags;
	return filemap_migrate_folio(mapping, dst, src, mode);
}

/* Page cache that nothing but this test knows. */
static struct file *open_cache(struct kunit *test)
{
	static const struct address_space_operations mapping_ops = {
		.dirty_folio	= noop_dirty_folio,
		.migrate_folio	= migrate_noted,
	};
	static const struct file_operations file_ops = { };
	struct file *file = anon_inode_create_getfile("[cma-test]", &file_ops,
						      NULL, O_RDWR, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	file->f_mapping->a_ops = &mapping_ops;
	return file;
}

/*
 * A page of the area as page cache, locked, with no reference of ours. The one
 * behind it is free.
 */
static struct folio *locked_cache(struct kunit *test, struct file *file)
{
	unsigned long pfn = free_window(test, 2, 1);
	struct folio *folio = pfn_folio(pfn);

	KUNIT_ASSERT_EQ(test, take(pfn, 1), 0);
	KUNIT_ASSERT_EQ(test, filemap_add_folio(file->f_mapping, folio, 0,
						GFP_KERNEL), 0);
	folio_mark_uptodate(folio);
	folio_put(folio);
	return folio;
}

static bool is_isolated(struct page *page)
{
	for (int ms = 0; ms < WAIT_MS; ms += LOOK_MS) {
		if (is_migrate_isolate_page(page))
			return true;
		msleep(LOOK_MS);
	}
	return false;
}

static bool waits_killably(const struct task_struct *task)
{
	for (int ms = 0; ms < WAIT_MS; ms += LOOK_MS) {
		if ((READ_ONCE(task->__state) & TASK_KILLABLE) == TASK_KILLABLE)
			return true;
		msleep(LOOK_MS);
	}
	return false;
}

/*
 * The first one has claimed the pageblock and waits for the lock of a page in
 * it; the second one waits for the first, until it is killed.
 */
static void waiting_for_a_peer_can_be_killed(struct kunit *test)
{
	struct file *file = open_cache(test);
	struct folio *folio = locked_cache(test, file);
	unsigned long pfn = folio_pfn(folio);
	struct asker *first = kunit_kzalloc(test, sizeof(*first), GFP_KERNEL);
	struct asker *second = kunit_kzalloc(test, sizeof(*second), GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, first && second);
	start_asking(test, first, pfn, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, is_isolated(&folio->page));
	start_asking(test, second, pfn, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, waits_killably(second->task));
	send_sig(SIGKILL, second->task, 1);
	wait_for_completion_timeout(&second->done, msecs_to_jiffies(WAIT_MS));
	KUNIT_EXPECT_TRUE(test, completion_done(&second->done));
	KUNIT_EXPECT_FALSE(test, completion_done(&first->done));

	folio_unlock(folio);
	end_asking(first);
	end_asking(second);
	KUNIT_EXPECT_EQ(test, second->error, -EINTR);
	KUNIT_EXPECT_EQ(test, first->error, 0);
	if (!first->error)
		free_contig_range(pfn, 1);
	if (!second->error)
		free_contig_range(pfn, 1);
	fput(file);

	/* No claim is left behind. */
	KUNIT_EXPECT_EQ(test, take(pfn, 1), 0);
	free_contig_range(pfn, 1);
}

/* A caller without __GFP_FS may hold the lock that it would wait for. */
static void without_fs_no_folio_is_waited_for(struct kunit *test)
{
	const gfp_t gfps[] = { GFP_NOFS, GFP_NOIO };
	struct asker *asker = kunit_kzalloc(test, sizeof(*asker), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, asker);
	for (unsigned int i = 0; i < ARRAY_SIZE(gfps); i++) {
		struct file *file = open_cache(test);
		struct folio *folio = locked_cache(test, file);
		unsigned long pfn = folio_pfn(folio);

		start_asking(test, asker, pfn, gfps[i]);
		wait_for_completion_timeout(&asker->done,
					    msecs_to_jiffies(WAIT_MS));
		KUNIT_EXPECT_TRUE(test, completion_done(&asker->done));
		folio_unlock(folio);
		end_asking(asker);
		KUNIT_EXPECT_EQ(test, asker->error, -EBUSY);
		if (!asker->error)
			free_contig_range(pfn, 1);
		fput(file);
	}
}

/* Large folios and huge pages get their targets by flags of their own. */
static void limits_hold_as_a_scope(struct kunit *test)
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
		struct file *file = open_cache(test);
		struct folio *folio = locked_cache(test, file);
		unsigned long pfn = folio_pfn(folio);

		folio_unlock(folio);
		mover_flags = -1;
		KUNIT_EXPECT_EQ(test, alloc_contig_range(pfn, pfn + 1,
							 MIGRATE_CMA,
							 cases[i].gfp), 0);
		KUNIT_EXPECT_EQ(test, mover_flags & scopes, cases[i].scope);
		KUNIT_EXPECT_EQ(test, current->flags & scopes, 0);
		free_contig_range(pfn, 1);
		fput(file);
	}
}

/* Return: false if it took so long that I/O may have given up. */
static bool io_waits_for_a_peer(struct kunit *test)
{
	struct file *file = open_cache(test);
	struct folio *folio = locked_cache(test, file);
	unsigned long pfn = folio_pfn(folio), other = pfn + 1, start;
	struct asker *first = kunit_kzalloc(test, sizeof(*first), GFP_KERNEL);
	struct asker *second = kunit_kzalloc(test, sizeof(*second), GFP_KERNEL);
	bool in_time;

	KUNIT_ASSERT_TRUE(test, first && second);
	start_asking(test, first, pfn, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, is_isolated(&folio->page));
	start_asking(test, second, other, GFP_NOIO);
	end_asking(second);
	KUNIT_EXPECT_EQ(test, second->error, -EBUSY);

	start = jiffies;
	start_asking(test, second, other, GFP_NOIO);
	in_time = waits_killably(second->task);
	folio_unlock(folio);
	end_asking(first);
	end_asking(second);
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

/* A quarter of a second it waits, which an emulator may sleep through. */
static void io_waits_for_a_peer_for_a_while(struct kunit *test)
{
	for (unsigned int i = 0; i < PEER_TRIES; i++)
		if (io_waits_for_a_peer(test))
			return;
	KUNIT_FAIL(test, "it never was in time");
}

/* A copy takes the place of its page in the lists and counters of the zone. */
static void targets_are_of_the_zone(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct zone *zone, *other;
	LIST_HEAD(targets);

	KUNIT_ASSERT_NOT_NULL(test, page);
	zone = page_zone(page);
	other = zone == &zone->zone_pgdat->node_zones[0] ? zone + 1 : zone - 1;

	/* Freed, unless it is kept by this. */
	get_page(page);
	contig_target_keep(other, page_folio(page), &targets);
	KUNIT_EXPECT_TRUE(test, list_empty(&targets));
	KUNIT_ASSERT_EQ(test, page_count(page), 1);

	contig_target_keep(zone, page_folio(page), &targets);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	KUNIT_EXPECT_PTR_EQ(test, contig_target_get(&targets), page_folio(page));
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

/* It would go back to everybody, whatever the area is by then. */
static void areas_with_folios_out_stay_shared(struct kunit *test)
{
	struct cma *cma = test->priv;
	struct folio *folio = cma_alloc_folio(cma, 2, GFP_KERNEL | __GFP_COMP);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	kunit_info(test, "expect-splat: cma: .* failed, ret: -16, compound pages are out: 1");
	KUNIT_EXPECT_EQ(test, cma_set_mode(cma, CMA_EXCLUSIVE), -EBUSY);
	KUNIT_EXPECT_EQ(test, cma->mode, CMA_SHARED);
	KUNIT_EXPECT_FALSE(test, PageReserved(pfn_to_page(cma->range.start)));
	KUNIT_EXPECT_TRUE(test, cma_free_folio(cma, folio));

	KUNIT_EXPECT_EQ(test, cma_set_mode(cma, CMA_EXCLUSIVE), 0);
	KUNIT_EXPECT_EQ(test, cma_set_mode(cma, CMA_SHARED), 0);
}

/* What was in the way before is looked at first, and believed only if it is. */
static void surveys_begin_with_what_was_in_the_way(struct kunit *test)
{
	const unsigned long nr_pages = 64, held = 5;
	struct cma *cma = test->priv;
	struct page *page = cma_alloc(cma, nr_pages, ilog2(nr_pages), false);
	unsigned long pfn;
	struct contig_survey survey;

	KUNIT_ASSERT_NOT_NULL(test, page);
	pfn = page_to_pfn(page);
	/* What was in the way in a test before is kept in mind for a while. */
	for (unsigned int ms = 0; ms < WAIT_MS &&
	     contig_blocker_recall(pfn, pfn + nr_pages, &survey.blocker); ms += 20)
		msleep(20);
	get_page(page + held);
	for (int round = 0; round < 2; round++) {
		contig_survey_window(pfn, pfn + nr_pages, &survey);
		KUNIT_EXPECT_EQ(test, survey.blocker.reason, CONTIG_BLOCK_OFF_LRU);
		KUNIT_EXPECT_EQ(test, survey.blocker.pfn, pfn + held);
		/* Another page may have been in the way once. */
		KUNIT_EXPECT_LE(test, survey.nr_looked,
				round ? 1 : nr_pages - held + 1);
	}
	/* The rest of the window is without it. */
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

static void ask_for_another(struct work_struct *work)
{
	struct question *question = container_of(work, struct question, work);

	question->defers = contig_defers_kswapd(question->zone);
}

/* kswapd is not woken by who reclaims, but by all others, and when it is late. */
static void requests_do_not_wake_kswapd(struct kunit *test)
{
	struct zone *zone = page_zone(pfn_to_page(free_window(test, 1, 0)));
	struct question question = { .zone = zone };
	struct contig_reclaimer self;
	unsigned long nr_min, flags;
	bool when_short;

	INIT_WORK_ONSTACK(&question.work, ask_for_another);
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

static struct kunit_case cases[] = {
	KUNIT_CASE(isolated_blocks_are_named),
	KUNIT_CASE(surveys_begin_with_what_was_in_the_way),
	KUNIT_CASE(pages_outlast_their_range),
	KUNIT_CASE(compound_pages_go_as_a_whole),
	KUNIT_CASE(waiting_for_a_peer_can_be_killed),
	KUNIT_CASE(without_fs_no_folio_is_waited_for),
	KUNIT_CASE(limits_hold_as_a_scope),
	KUNIT_CASE(io_waits_for_a_peer_for_a_while),
	KUNIT_CASE(targets_are_of_the_zone),
	KUNIT_CASE(locked_pages_are_no_targets),
	KUNIT_CASE(requests_do_not_wake_kswapd),
	/* The switch is tried for ten seconds. */
	KUNIT_CASE_ATTR(areas_with_folios_out_stay_shared,
			{ .speed = KUNIT_SPEED_VERY_SLOW }),
	{ }
};

static struct kunit_suite suite = {
	.name = "cma_contig",
	.init = init_case,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit tests of the range allocator");
MODULE_LICENSE("GPL");
