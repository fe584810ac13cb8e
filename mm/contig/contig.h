/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The range allocator, for mm/cma/ and for its own parts.
 *
 * It knows ranges of pages, folios, zones and free lists. It never sees an
 * area: what it has to know of one stands in struct contig_request.
 *
 * Locks, outermost first (Documentation/mm/cma.rst has the whole table):
 *
 *   claim on pageblocks	contig.c; slept on, held across migration
 *   zone->lock			free lists; IRQ safe
 *   claims_lock, memories_lock, reclaimers_lock	leaves
 */
#ifndef _MM_CONTIG_H
#define _MM_CONTIG_H

#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/time64.h>

/* The longest time that a request waits for a peer in the same pageblocks. */
#define CONTIG_PEER_MAX_MS	(60 * MSEC_PER_SEC)

/**
 * enum contig_block_reason - why a page did not get out of the way
 * @CONTIG_BLOCK_NONE:	nothing was in the way
 * @CONTIG_BLOCK_PINNED: pinned for DMA by pin_user_pages()
 * @CONTIG_BLOCK_REFERENCED: somebody holds a reference that migration cannot
 *		move
 * @CONTIG_BLOCK_WRITEBACK: being written out
 * @CONTIG_BLOCK_LOCKED: locked, most likely I/O in flight
 * @CONTIG_BLOCK_BUFFERS: its file system uses its buffers, most likely a journal
 * @CONTIG_BLOCK_HUGE:	a huge page, and no other is free to move it to
 * @CONTIG_BLOCK_OFF_LRU: on no LRU list: isolated by somebody else, or not
 *		movable
 * @CONTIG_BLOCK_IN_USE: allocated, nothing more is known
 * @CONTIG_BLOCK_ISOLATED: its pageblock is isolated by memory hotplug
 * @CONTIG_BLOCK_PEER:	another request has taken too long in its pageblock
 * @CONTIG_BLOCK_POISONED: the memory is broken, and stays out of use
 * @CONTIG_BLOCK_NR:	number of reasons
 */
enum contig_block_reason {
	CONTIG_BLOCK_NONE,
	CONTIG_BLOCK_PINNED,
	CONTIG_BLOCK_REFERENCED,
	CONTIG_BLOCK_WRITEBACK,
	CONTIG_BLOCK_LOCKED,
	CONTIG_BLOCK_BUFFERS,
	CONTIG_BLOCK_HUGE,
	CONTIG_BLOCK_OFF_LRU,
	CONTIG_BLOCK_IN_USE,
	CONTIG_BLOCK_ISOLATED,
	CONTIG_BLOCK_PEER,
	CONTIG_BLOCK_POISONED,
	CONTIG_BLOCK_NR
};

/**
 * struct contig_blocker - the page that stopped a request
 * @pfn:	page frame number
 * @reason:	why it stayed
 * @refs:	references when it was found
 * @maps:	page table entries that mapped it then
 * @pid:	for %CONTIG_BLOCK_PEER: task of the other request
 */
struct contig_blocker {
	unsigned long pfn;
	enum contig_block_reason reason;
	int refs;
	int maps;
	pid_t pid;
};

/**
 * struct contig_survey - what was seen in a window
 * @price:	of emptying it, in units of what a page of cold cache takes
 * @nr_looked:	pages looked at
 * @blocker:	the last page that rules the window out; reason
 *		CONTIG_BLOCK_NONE if none does, otherwise the rest is about a
 *		part of the window
 */
struct contig_survey {
	unsigned long price;
	unsigned long nr_looked;
	struct contig_blocker blocker;
};

/**
 * struct contig_evacuated - how pages left a window
 * @nr_dropped:	cold page cache that was freed
 * @nr_copied:	clean pages of files, copied and not mapped again
 * @nr_remapped: mapped pages that were copied, and their copies mapped
 * @nr_migrated: pages that migrate_pages() moved
 * @nr_reclaimed: pages that were reclaimed for want of a place to move to
 */
struct contig_evacuated {
	unsigned long nr_dropped;
	unsigned long nr_copied;
	unsigned long nr_remapped;
	unsigned long nr_migrated;
	unsigned long nr_reclaimed;
};

/**
 * struct contig_request - a range of pages that somebody wants
 * @start_pfn:	first page
 * @end_pfn:	first page behind
 * @zone:	all pages are of this one
 * @gfp:	how to prepare the pages, and what may be done to free them
 * @move_gfp:	for pages to move to; contig.c makes it from @gfp
 * @in_area:	true: all of it is MIGRATE_CMA; false: nothing of it is
 * @frozen:	hand the pages out without references
 * @patient:	wait for locks, writeback and per-CPU batches rather than fail
 * @linger_ms:	how long to wait in the isolated range, if patient, for the last
 *		few pages that are in the way
 * @peer_ms:	how long to wait for peers in the same pageblocks; 0 for
 *		%CONTIG_PEER_MAX_MS
 * @nr_spare:	how many pages outside of areas may be taken or reclaimed for
 *		this, asked anew each time; NULL for no limit
 * @nr_stuck:	result: how many folios stayed; 0 if this is not known
 * @blocker:	result: the page that stopped it; reason CONTIG_BLOCK_NONE if
 *		none did
 */
struct contig_request {
	unsigned long start_pfn;
	unsigned long end_pfn;
	struct zone *zone;
	gfp_t gfp;
	gfp_t move_gfp;
	bool in_area;
	bool frozen;
	bool patient;
	unsigned int linger_ms;
	unsigned int peer_ms;
	unsigned long (*nr_spare)(void);
	unsigned int nr_stuck;
	struct contig_blocker blocker;
};

/* contig.c: ranges of pages */
int contig_take_free(struct contig_request *req);
int contig_alloc(struct contig_request *req);
void contig_free(unsigned long start_pfn, unsigned long nr_pages);
void contig_free_frozen(unsigned long start_pfn, unsigned long nr_pages);
int contig_alloc_range(unsigned long start_pfn, unsigned long end_pfn,
		       bool in_area, gfp_t gfp, bool frozen);

/* pages.c: ranges that lie anywhere */
struct page *contig_alloc_pages(unsigned long nr_pages, gfp_t gfp, int nid,
				nodemask_t *nodemask, bool frozen);

/* A caller that does I/O, or holds file system locks, must not wait for I/O. */
static inline bool contig_may_wait_for_io(gfp_t gfp)
{
	return (gfp & (__GFP_IO | __GFP_FS)) == (__GFP_IO | __GFP_FS);
}

/* survey.c: what a window would cost */
void contig_survey_window(unsigned long start_pfn, unsigned long end_pfn,
			  struct contig_survey *survey);
int contig_foreign_refs(const struct page *page);

/* blocker.c: the page in the way */
void contig_blocker_note(struct contig_blocker *blocker,
			 const struct page *page,
			 enum contig_block_reason reason);
bool contig_blocker_remember(const struct contig_blocker *blocker);
bool contig_blocker_recall(unsigned long start_pfn, unsigned long end_pfn,
			   struct contig_blocker *blocker);

/**
 * enum contig_block_kind - pageblocks that pages are taken from
 * @CONTIG_BLOCKS_PLAIN: of any type but MIGRATE_CMA, not isolated
 * @CONTIG_BLOCKS_CMA:	of areas
 * @CONTIG_BLOCKS_ISOLATED: isolated, whatever they were before
 */
enum contig_block_kind {
	CONTIG_BLOCKS_PLAIN,
	CONTIG_BLOCKS_CMA,
	CONTIG_BLOCKS_ISOLATED,
};

/* buddy.c: pages on the free lists */
unsigned long contig_buddy_take_range(struct zone *zone,
				      unsigned long start_pfn,
				      unsigned long end_pfn,
				      enum contig_block_kind kind);
void contig_buddy_free_range(struct zone *zone, unsigned long start_pfn,
			     unsigned long end_pfn);
bool contig_buddy_page_unlisted(const struct page *page);
void contig_buddy_prepare_range(unsigned long pfn, unsigned long end_pfn,
				gfp_t gfp, bool frozen);
unsigned int contig_buddy_pull(struct zone *zone, enum contig_block_kind kind,
			       unsigned long mark, unsigned int nr_pages,
			       struct list_head *pages);

/* The type of pageblocks that a range lies in. */
static inline int contig_migratetype(bool in_area)
{
#ifdef CONFIG_CMA
	if (in_area)
		return MIGRATE_CMA;
#endif
	return MIGRATE_MOVABLE;
}

/* isolate.c: pageblocks of areas */
#ifdef CONFIG_CMA
int contig_isolate_range(struct zone *zone, unsigned long start_pfn,
			 unsigned long end_pfn);
void contig_isolate_undo(struct zone *zone, unsigned long start_pfn,
			 unsigned long end_pfn);
#else
static inline int contig_isolate_range(struct zone *zone,
				       unsigned long start_pfn,
				       unsigned long end_pfn)
{
	return -EBUSY;
}

static inline void contig_isolate_undo(struct zone *zone,
				       unsigned long start_pfn,
				       unsigned long end_pfn)
{
}
#endif

/* Pages that are taken off their LRU lists, or copied, at a time. */
#define CONTIG_RUN_PAGES	32

/**
 * struct contig_batch - folios that are collected to move together
 * @folios:	the isolated folios
 * @nr_pages:	their pages
 * @has_anon:	some of them count as NR_ISOLATED_ANON
 * @has_file:	some of them count as NR_ISOLATED_FILE
 */
struct contig_batch {
	struct list_head folios;
	unsigned int nr_pages;
	bool has_anon;
	bool has_file;
};

/* collect.c */
unsigned long contig_collect_run(const struct zone *zone, unsigned long pfn,
				 unsigned long end_pfn,
				 struct contig_batch *batch);

/* blocks.c: which pageblocks are of areas */
void contig_areas_init(void);
void contig_areas_ready(void);
void contig_area_add_block(unsigned long pfn);

/* evacuate.c: get everything out of a window */
int contig_evacuate(struct contig_request *req);

/* The last of the attempts to find memory to move to. */
#define CONTIG_LAST_ATTEMPT	2

/**
 * struct contig_targets - where the pages of a window may move to
 * @req:	the window
 * @pages:	free pages that were taken for it
 * @nr_wanted:	pages that the batch may still need of those
 * @attempt:	0: take memory that is free; then the same, after pages in the
 *		window were reclaimed; at %CONTIG_LAST_ATTEMPT allocate as
 *		everybody does, with direct reclaim
 */
struct contig_targets {
	const struct contig_request *req;
	struct list_head pages;
	unsigned int nr_wanted;
	int attempt;
};

/* target.c */
unsigned long contig_targets_nr_spare(const struct contig_targets *targets);
void contig_targets_fill(struct contig_targets *targets,
			 unsigned int nr_wanted);
void contig_targets_make_room(const struct contig_targets *targets);
void contig_targets_free(struct list_head *pages);
unsigned int contig_targets_pull(struct zone *zone,
				 enum contig_block_kind kind,
				 unsigned long mark, unsigned int nr_pages,
				 gfp_t gfp, struct list_head *pages);
struct folio *contig_target_new(struct folio *src, unsigned long targets);
void contig_target_put(struct folio *dst, unsigned long targets);
struct folio *contig_target_get(struct list_head *pages);
void contig_target_keep(const struct zone *zone, struct folio *copy,
			struct list_head *pages);
unsigned long contig_reclaim_some(struct zone *zone, gfp_t gfp);

/* drop.c: cold cache and cold text */
unsigned long contig_drop_cold_cache(struct zone *zone, unsigned long start_pfn,
				     unsigned long end_pfn);
bool contig_unmap_text(struct folio *folio);
void contig_unmap_cold_text(unsigned long start_pfn, unsigned long end_pfn);

/* copy.c: clean cache, mapped or not */
unsigned int contig_copy_count(unsigned long start_pfn, unsigned long end_pfn);
unsigned long contig_copy_cache(struct zone *zone, unsigned long start_pfn,
				unsigned long end_pfn, struct list_head *pages);

/* A batch holds one reference to each of its pages. */
#define CONTIG_BATCH_REFS	1

/**
 * struct contig_move - a page that is not mapped at the moment
 * @folio:	the page
 * @copy:	its copy
 * @anon_vma:	of its mappings; NULL for a page of a file, or without mappings
 */
struct contig_move {
	struct folio *folio;
	struct folio *copy;
	struct anon_vma *anon_vma;
};

/* move.c: what replace.c and remap.c share */
int contig_move_copy(const struct contig_move *move);
void contig_moves_add_to_lru(const struct contig_move *moves, unsigned int nr);
void contig_moves_free(struct zone *zone, const struct contig_move *moves,
		       unsigned int nr);

/* replace.c: pages that one program maps */
unsigned int contig_replace(struct zone *zone, struct list_head *batch,
			    struct list_head *targets);

/* remap.c: pages that several programs map, and pages of files */
unsigned int contig_remap_count(const struct list_head *batch);
unsigned int contig_remap(struct zone *zone, struct list_head *batch,
			  struct list_head *pages);

/* For fewer pages than this, or with less room, nothing moves into areas. */
#define CONTIG_FILL_MIN	32UL

/* outside.c: what lies outside of areas */
unsigned long contig_nr_lru_outside(struct zone *zone, bool anon_only);
unsigned long contig_nr_movable_outside(struct zone *zone);
unsigned long contig_nr_room(struct zone *zone);
unsigned long contig_nr_room_for(struct zone *target_zone, struct zone *zone);
struct zone *contig_find_room(struct zone *zone);

/**
 * struct contig_reclaimer - a task that reclaims memory for a request
 * @node:	in the list of all of them
 * @task:	the task
 */
struct contig_reclaimer {
	struct list_head node;
	struct task_struct *task;
};

/* kswapd.c: when a request wakes it */
void contig_begin_reclaim(struct contig_reclaimer *self);
void contig_end_reclaim(struct contig_reclaimer *self, struct zone *zone,
			gfp_t gfp);

/* inject.c: failures on purpose, of the areas as well */
enum contig_fail_point {
	CONTIG_FAIL_BUFFER,	/* no memory for the record of the buffer */
	CONTIG_FAIL_TAKE,	/* free pages are not all free */
	CONTIG_FAIL_CLAIM,	/* interrupted while waiting for a peer */
	CONTIG_FAIL_ISOLATE,	/* a pageblock cannot be isolated */
	CONTIG_FAIL_EVACUATE,	/* a page does not get out of the way */
	CONTIG_FAIL_TARGET,	/* nowhere to move a page to */
	CONTIG_FAIL_COPY,	/* an unmapped page is in use after all */
	CONTIG_FAIL_NR
};

#ifdef CONFIG_FAIL_CMA
bool contig_should_fail(enum contig_fail_point point);
#else
static inline bool contig_should_fail(enum contig_fail_point point)
{
	return false;
}
#endif

#endif /* _MM_CONTIG_H */
