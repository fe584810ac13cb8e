/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the contiguous memory allocator share among themselves.
 *
 * Locks, outermost first (Documentation/mm/cma.rst has the whole table):
 *
 *   cma->class_lock		the class of an area; slept on
 *   claim on pageblocks	contig.c; slept on, held across migration
 *   cma->ready_mutex		buffers cleared or given back; slept on
 *   cma->lock			range of an area; IRQ safe
 *   shard->lock		who owns which buffer; IRQ safe
 *   ready->lock		buffers kept for the next request; IRQ safe
 *   zone->lock			free lists; IRQ safe
 */
#ifndef _MM_CMA_INTERNAL_H
#define _MM_CMA_INTERNAL_H

#include <linux/build_bug.h>
#include <linux/cma.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mm_inline.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/percpu-rwsem.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/time64.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "range.h"

struct seq_file;

/* What a request that finds no window at once may take longer, by default. */
#define CMA_PATIENCE_MS		500

/* Buffers of up to so many pages are kept by each CPU. */
#define CMA_READY_PAGES_MAX	16

/* How long a buffer that nobody wants is kept, by default. */
#define CMA_READY_AGE_MS	1000
#define CMA_READY_AGE_MAX_MS	(60 * 60 * MSEC_PER_SEC)

/* Trees that the records of an area's buffers are spread over. */
#define CMA_SHARDS	32

/* Pieces of memory that an area can be made of. */
#define CMA_MAX_BANKS	8

/* Longest name of an owner in a record, with the NUL. */
#define CMA_OWNER_LEN	24

/**
 * struct cma_shard - some of the buffers of an area
 * @lock:	covers @buffers, and who owns them
 * @buffers:	complete buffers, by their first page
 */
struct cma_shard {
	spinlock_t		lock;	/* buffers and their owners */
	struct rb_root		buffers;
};

/**
 * struct cma_ready - buffers kept for the next request
 * @lock:	covers the rest
 * @nr_pages:	in all
 * @nr_lists:	size of @buffers
 * @by_age:	all buffers, the one that is kept longest first; one that is being
 *		cleared stays here
 * @buffers:	by their size in pages - 1; larger ones than there are lists are
 *		on the last one
 */
struct cma_ready {
	spinlock_t		lock;	/* buffers, nr_pages */
	unsigned long		nr_pages;
	unsigned long		nr_lists;
	struct list_head	by_age;
	struct list_head	buffers[];
};

/**
 * struct cma_bank - a contiguous piece of an area
 * @start_pfn:	first page
 * @end_pfn:	first page behind
 * @lent_start_pfn: first page that the page allocator can have
 * @lent_end_pfn: first page behind those; only whole pageblocks have a type of
 *		their own, so at most one at each end does not count
 */
struct cma_bank {
	unsigned long start_pfn;
	unsigned long end_pfn;
	unsigned long lent_start_pfn;
	unsigned long lent_end_pfn;
};

/**
 * struct cma - one area
 * @lock:	covers @range, @debug_buffers
 * @range:	who holds what, by pfn; what lies between banks is held for ever
 * @banks:	its memory, by address
 * @nr_banks:	how many there are
 * @nr_pages:	size, of all banks
 * @nr_lent:	pages that the page allocator can have, of all banks
 * @order_per_bit: what is held is a multiple of 1 << this many pages
 * @class:	who may use pages that nobody holds; changes under @class_lock
 * @class_lock:	held for reading while a window is looked for, for writing while
 *		the class changes
 * @nr_folios:	compound pages that are out
 * @nr_trying:	windows held by requests that are not through with them
 * @nr_let_go:	how often such a window became free again
 * @fit:	which hole a request goes to
 * @patience_ms: how long a request tries to get a window before it fails
 * @shards:	complete buffers
 * @ready:	small buffers that each CPU keeps for the next request; NULL if
 *		none are kept
 * @ready_large: larger ones, of all CPUs; NULL if none are kept
 * @ready_limit: most pages that are kept, half of them in @ready_large
 * @ready_age_ms: how long, if nobody wants them
 * @ready_mutex: held while what is kept is cleared or given back
 * @clear_work:	clears what is kept
 * @age_work:	gives back what is kept for too long
 * @active:	the pages belong to the page allocator; set once at boot
 * @reserve_pages_on_error: when activation fails the pages stay reserved
 * @nr_pages_succeeded: pages handed out since boot
 * @nr_pages_failed: pages asked for in vain since boot
 * @nr_pages_released: pages given back since boot
 * @users:	who takes buffers
 * @devices:	for CMA_FOR_DEVICES: names of devices or drivers, globs, with
 *		commas between
 * @source:	who wished for it, in words; NULL for code of the kernel's own
 * @heap:	programs may take from it, by way of a heap
 * @kobj:	/sys/kernel/mm/cma/<name>
 * @debug_buffers: buffers taken through debugfs, the last one first
 * @name:	as in sysfs, debugfs, messages and events
 */
struct cma {
	spinlock_t		lock;	/* range, buffers */
	struct cma_range	range;
	struct cma_bank		banks[CMA_MAX_BANKS];
	unsigned int		nr_banks;
	unsigned long		nr_pages;
	unsigned long		nr_lent;
	unsigned int		order_per_bit;
	enum cma_class		class;
	struct percpu_rw_semaphore class_lock;
	atomic_t		nr_folios;
	atomic_t		nr_trying;
	atomic_t		nr_let_go;
	enum cma_fit		fit;
	unsigned int		patience_ms;
	struct cma_shard	shards[CMA_SHARDS];
	struct cma_ready __percpu *ready;
	struct cma_ready	*ready_large;
	unsigned long		ready_limit;
	unsigned int		ready_age_ms;
	struct mutex		ready_mutex;	/* buffers on no list */
	struct delayed_work	clear_work;
	struct delayed_work	age_work;
	bool			active;
	bool			reserve_pages_on_error;
	atomic64_t		nr_pages_succeeded;
	atomic64_t		nr_pages_failed;
	atomic64_t		nr_pages_released;
	enum cma_users		users;
	const char		*devices;
	bool			heap;
	const char		*source;
	struct kobject		*kobj;
#ifdef CONFIG_CMA_DEBUGFS
	struct list_head	debug_buffers;
#endif
	char			name[CMA_MAX_NAME];
};

/**
 * struct cma_buffer - who holds a window of an area
 * @holder:	the window, in cma->range
 * @nr_pages:	pages asked for; the holder may hold more (order_per_bit). 0 for
 *		what lies between the banks of an area
 * @kept:	the pages were not the page allocator's before
 * @is_folio:	the pages are one compound page
 * @owned:	the pages are the owner's: set when the allocation is complete,
 *		cleared by the release
 * @cleared:	nothing but zeroes, while kept
 * @kind:	in what state it was kept; the architecture's
 * @nr_claimed:	pages of a compound page that are on their way back in parts,
 *		those that came back among them
 * @nr_back:	pages of a compound page that came back in parts
 * @unready:	what ends that state
 * @by_pfn:	in the tree of a shard while the pages are complete
 * @node:	in cma->ready while kept, in cma->debug_buffers while taken
 *		through debugfs
 * @caller:	who called cma_alloc()
 * @mapped:	where it is mapped, while kept
 * @pid:	the task that did
 * @taken_s:	when it was handed out, in seconds since boot
 * @kept_at:	since when it is kept, in jiffies
 * @comm:	the task's name then
 * @owner:	for whom: the name of a device; empty if nobody said
 * @by_age:	in cma->ready while kept
 */
struct cma_buffer {
	struct cma_holder	holder;
	unsigned long		nr_pages;
	bool			kept;
	bool			is_folio;
	bool			owned;
	bool			cleared;
	union {
		unsigned long	kind;
		unsigned long	nr_claimed;
	};
	cma_unready_t		unready;
	struct rb_node		by_pfn;
	union {
		struct list_head node;
		unsigned long	nr_back;
	};
	union {
		unsigned long	caller;
		void		*mapped;
	};
	pid_t			pid;
	union {
		unsigned long	taken_s;
		unsigned long	kept_at;
	};
	char			comm[TASK_COMM_LEN];
	union {
		char		owner[CMA_OWNER_LEN];
		struct list_head by_age;
	};
};

/* One more byte, and the slab allocator would take 192 for each. */
static_assert(IS_ENABLED(CONFIG_64BIT) || sizeof(struct cma_buffer) <= 128);

/**
 * enum cma_block_reason - why a page did not get out of the way
 * @CMA_BLOCK_NONE:	nothing was in the way
 * @CMA_BLOCK_PINNED:	pinned for DMA by pin_user_pages()
 * @CMA_BLOCK_REFERENCED: somebody holds a reference that migration cannot move
 * @CMA_BLOCK_WRITEBACK: being written out
 * @CMA_BLOCK_LOCKED:	locked, most likely I/O in flight
 * @CMA_BLOCK_OFF_LRU:	on no LRU list: isolated by somebody else, or not movable
 * @CMA_BLOCK_IN_USE:	allocated, nothing more is known
 * @CMA_BLOCK_ISOLATED:	its pageblock is isolated by memory hotplug
 * @CMA_BLOCK_POISONED:	the memory is broken, and stays out of use
 * @CMA_BLOCK_NR:	number of reasons
 */
enum cma_block_reason {
	CMA_BLOCK_NONE,
	CMA_BLOCK_PINNED,
	CMA_BLOCK_REFERENCED,
	CMA_BLOCK_WRITEBACK,
	CMA_BLOCK_LOCKED,
	CMA_BLOCK_OFF_LRU,
	CMA_BLOCK_IN_USE,
	CMA_BLOCK_ISOLATED,
	CMA_BLOCK_POISONED,
	CMA_BLOCK_NR
};

/**
 * struct cma_blocker - the page that stopped a request
 * @pfn:	which
 * @reason:	why
 * @refs:	references when it was found
 * @maps:	page table entries that map it
 * @no_hole:	what stopped it in the end were the holders: no hole was for it
 * @widest_hole: pages of the widest one then
 */
struct cma_blocker {
	unsigned long pfn;
	enum cma_block_reason reason;
	int refs;
	int maps;
	bool no_hole;
	unsigned long widest_hole;
};

/**
 * struct cma_survey - what was seen in a window
 * @price:	of emptying it, in units of what a page of cold cache takes
 * @nr_looked:	pages looked at
 * @blocker:	the last page that rules the window out; reason CMA_BLOCK_NONE
 *		if none does, otherwise the rest is about a part of the window
 */
struct cma_survey {
	unsigned long price;
	unsigned long nr_looked;
	struct cma_blocker blocker;
};

/**
 * struct contig_request - a range of pages that somebody wants
 * @start_pfn:	first page
 * @end_pfn:	first page behind
 * @zone:	all pages are of this one
 * @gfp:	how to prepare the pages, and what may be done to free them
 * @move_gfp:	for pages to move to; contig.c makes it from @gfp
 * @in_area:	true: all of it is MIGRATE_CMA; false: nothing of it is
 * @patient:	wait for locks, writeback and per-CPU batches rather than fail
 * @peer_ms:	how long to wait for peers in the same pageblocks; 0: as long as
 *		the most patient area does
 * @blocker:	result: the page that stopped it; reason CMA_BLOCK_NONE if none
 *		did
 */
struct contig_request {
	unsigned long start_pfn;
	unsigned long end_pfn;
	struct zone *zone;
	gfp_t gfp;
	gfp_t move_gfp;
	bool in_area;
	bool patient;
	unsigned int peer_ms;
	struct cma_blocker blocker;
};

#ifdef CONFIG_CMA
/* area.c: the registry */
extern struct cma cma_areas[MAX_CMA_AREAS + 1];
extern unsigned int cma_area_count;
struct cma *cma_area_new(const char *name);
struct cma *cma_area_intersecting(unsigned long start_pfn,
				  unsigned long end_pfn);
const struct cma_bank *cma_bank_of(const struct cma *cma, unsigned long pfn);
unsigned long cma_area_index(const struct cma *cma, unsigned long pfn);
const char *cma_fit_name(enum cma_fit fit);
#endif

void cma_account_alloc(struct cma *cma, unsigned long nr_pages, int error);
void cma_account_release(struct cma *cma, unsigned long pfn,
			 unsigned long nr_pages);

/* buddy.c: pages on the free lists */
enum buddy_block {
	BUDDY_BLOCK_PLAIN,	/* of any type but MIGRATE_CMA, not isolated */
	BUDDY_BLOCK_CMA,
	BUDDY_BLOCK_ISOLATED,
};

unsigned long buddy_take_range(struct zone *zone, unsigned long start_pfn,
			       unsigned long end_pfn, enum buddy_block block);
void buddy_give_range(struct zone *zone, unsigned long start_pfn,
		      unsigned long end_pfn);
void buddy_free_range(struct zone *zone, unsigned long start_pfn,
		      unsigned long end_pfn);
unsigned int buddy_largest_order(unsigned long pfn, unsigned long end_pfn);
bool buddy_page_unlisted(const struct page *page);

void buddy_prepare_range(unsigned long pfn, unsigned long end_pfn, gfp_t gfp);
unsigned int buddy_pull(struct zone *zone, enum buddy_block block,
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
int isolate_range(struct zone *zone, unsigned long start_pfn,
		  unsigned long end_pfn);
void isolate_undo(struct zone *zone, unsigned long start_pfn,
		  unsigned long end_pfn);
#else
static inline int isolate_range(struct zone *zone, unsigned long start_pfn,
				unsigned long end_pfn)
{
	return -EBUSY;
}

static inline void isolate_undo(struct zone *zone, unsigned long start_pfn,
				unsigned long end_pfn)
{
}
#endif

/* survey.c: what a window would cost */
void survey_window(unsigned long start_pfn, unsigned long end_pfn,
		   struct cma_survey *survey);
int survey_foreign_refs(const struct page *page);

/* drop.c: cold cache */
unsigned long drop_cold_cache(struct zone *zone, unsigned long start_pfn,
			      unsigned long end_pfn);

/* Of a page that is no tail, as far as was seen: without another look. */
static inline struct folio *cma_folio_at(unsigned long pfn)
{
	return (struct folio *)pfn_to_page(pfn);
}

static inline void cma_folio_unlock_put(struct folio *folio)
{
	folio_unlock(folio);
	folio_put(folio);
}

static inline bool cma_folio_get_lock(struct folio *folio)
{
	if (!folio_try_get(folio))
		return false;
	if (folio_trylock(folio))
		return true;
	folio_put(folio);
	return false;
}

/*
 * Reuse a target that nothing was moved to, unless the attempt left state in its
 * flags, of memory tags for example. A target of another zone or node goes back
 * to the page allocator: a copy takes the place of its page on the LRU list and
 * in the counters of the zone.
 */
static inline void cma_put_target(const struct zone *zone, struct folio *copy,
				  struct list_head *targets)
{
	if (folio_test_large(copy) || folio_zone(copy) != zone ||
	    copy->flags & PAGE_FLAGS_CHECK_AT_PREP)
		folio_put(copy);
	else
		list_add(&copy->lru, targets);
}

/*
 * Takes a target off the list, locked; NULL if there is none. memory_failure()
 * may find any page that has a reference, and lock and mark it, so the lock is
 * taken as everybody does. A page that it has locked or marked is no target.
 */
static inline struct folio *cma_get_target(struct list_head *targets)
{
	struct folio *copy;

	while ((copy = list_first_entry_or_null(targets, struct folio, lru))) {
		list_del(&copy->lru);
		if (folio_trylock(copy)) {
			if (likely(!folio_test_hwpoison(copy)))
				return copy;
			folio_unlock(copy);
		}
		folio_put(copy);
	}
	return NULL;
}

/* Pages of files that are worth a copy, as far as their use tells. */
static inline bool cma_warm(unsigned long flags)
{
	/* With generations, the second use leaves another mark. */
	return flags & BIT(lru_gen_enabled() ? PG_workingset : PG_active);
}

/*
 * Clean page cache, without any of the flags @nor. A guess unless the folio is
 * locked.
 */
static inline bool cma_clean_file(const struct folio *folio, unsigned long nor)
{
	const unsigned long flags = READ_ONCE(folio->flags);
	const unsigned long must_not =
		BIT(PG_dirty) | BIT(PG_writeback) | BIT(PG_swapbacked) |
		BIT(PG_unevictable) | BIT(PG_head) | BIT(PG_mlocked) |
		BIT(PG_private_2) | __PG_HWPOISON | nor;
	const unsigned long mapping = (unsigned long)READ_ONCE(folio->mapping);

	return (flags & (must_not | BIT(PG_lru))) == BIT(PG_lru) && mapping &&
	       !(mapping & PAGE_MAPPING_FLAGS);
}

/* The same, and nobody maps it. */
static inline bool cma_clean_cache(const struct folio *folio,
				   unsigned long nor)
{
	return cma_clean_file(folio, nor) &&
	       atomic_read(&folio->_mapcount) < 0;
}

/* The same, mapped or not, and with @refs more than page tables and cache have. */
static inline bool cma_clean_unheld(const struct folio *folio, int refs,
				    unsigned long nor)
{
	const int nr_maps = atomic_read(&folio->_mapcount) + 1;

	return cma_clean_file(folio, nor) &&
	       folio_ref_count(folio) == nr_maps + 1 + refs;
}

/* That was read once at most: it is not worth a copy. */
static inline bool cma_cold_cache(const struct folio *folio)
{
	return !cma_warm(READ_ONCE(folio->flags)) &&
	       cma_clean_cache(folio, BIT(PG_locked));
}

/*
 * The entry of a page in its file. Pages that lie next to each other in memory
 * mostly do so there, and the next one takes no walk.
 */
static inline void *cma_load_entry(struct xa_state *xas, pgoff_t index)
{
	if (xas_valid(xas) && index == xas->xa_index + 1)
		return xas_next_entry(xas, index);
	xas_set(xas, index);
	return xas_load(xas);
}

/* unmap.c: text */
bool unmap_text(struct folio *folio);
void unmap_cold_text(unsigned long start_pfn, unsigned long end_pfn);

/* shift.c: clean cache, mapped or not */
unsigned int shift_count(unsigned long start_pfn, unsigned long end_pfn);
unsigned long shift_cache(struct zone *zone, unsigned long start_pfn,
			  unsigned long end_pfn, struct list_head *targets);

/* mapped.c: what programs map */
unsigned int mapped_count(const struct list_head *batch);
unsigned int mapped_move(struct zone *zone, struct list_head *batch,
			 struct list_head *targets);

/**
 * struct contig_reclaimer - a task that reclaims memory for a request
 * @node:	one of all of them
 * @task:	who it is
 */
struct contig_reclaimer {
	struct list_head node;
	struct task_struct *task;
};

/* kswapd.c: when it is woken */
void contig_begin_reclaim(struct contig_reclaimer *self);
void contig_end_reclaim(struct contig_reclaimer *self, struct zone *zone,
			gfp_t gfp);

/* evacuate.c: what is in the way */
int evacuate_range(struct contig_request *req);
unsigned long reclaim_some(struct zone *zone, gfp_t gfp);

/* Who does I/O, or holds what a file system needs for it, must not wait for it. */
static inline bool cma_may_wait_for_io(gfp_t gfp)
{
	return (gfp & (__GFP_IO | __GFP_FS)) == (__GFP_IO | __GFP_FS);
}

/* floor.c: what those who cannot use areas have left */
#ifdef CONFIG_CMA
unsigned long cma_floor_spare(void);
#else
static inline unsigned long cma_floor_spare(void)
{
	return ULONG_MAX;
}
#endif

/* contig.c: ranges of pages */
int contig_take_free(struct contig_request *req);
int contig_alloc(struct contig_request *req);
void contig_free(unsigned long start_pfn, unsigned long nr_pages);

/* lend.c: what the page allocator has of an area */
bool cma_lent_part(const struct cma *cma, unsigned long *start_pfn,
		   unsigned long *end_pfn);
void cma_put_pages(struct cma *cma, unsigned long start_pfn,
		   unsigned long nr_pages, bool kept);
unsigned long cma_first_in_use(unsigned long pfn, unsigned long end_pfn);
unsigned long cma_first_not_kept(unsigned long pfn, unsigned long end_pfn);
void cma_lend(unsigned long start_pfn, unsigned long end_pfn);
void cma_keep(unsigned long start_pfn, unsigned long end_pfn);
void cma_account_lent(struct cma *cma, bool lent);

/* buffer.c: who holds what */
struct cma_buffer *cma_buffer_at(struct cma *cma, unsigned long pfn);
void cma_buffer_complete(struct cma *cma, struct cma_buffer *buffer);
void cma_buffer_hand_out(struct cma_buffer *buffer, const char *owner,
			 unsigned long caller);
void cma_buffer_snapshot(const struct cma_buffer *buffer,
			 struct cma_buffer *copy);
struct cma_buffer *cma_buffer_claim(struct cma *cma, unsigned long pfn,
				    unsigned long nr_pages);
void cma_buffer_give_back(struct cma *cma, struct cma_buffer *buffer);
void cma_buffer_trim(struct cma *cma, struct cma_buffer *buffer,
		     unsigned long nr_pages);
bool cma_buffer_give_back_part(struct cma *cma, unsigned long pfn,
			       unsigned long nr_pages);

/* ready.c: buffers kept for the next request */
void cma_ready_init_area(struct cma *cma);
bool cma_ready_flush(struct cma *cma);
unsigned long cma_ready_shrink(unsigned long nr_wanted);
void cma_ready_set_limit(struct cma *cma, unsigned long nr_pages);
void cma_ready_set_age(struct cma *cma, unsigned int ms);
unsigned long cma_ready_pages(struct cma *cma);
unsigned long cma_ready_cleared_pages(struct cma *cma);

/* search.c: a window, and what is tried to get one */
int cma_search(struct cma *cma, struct cma_buffer *buffer,
	       unsigned int align_order, gfp_t gfp,
	       struct cma_blocker *blocker);

/* alloc.c */
struct page *cma_alloc_gfp(struct cma *cma, unsigned long nr_pages,
			   unsigned int align_order, gfp_t gfp,
			   const char *owner, unsigned long caller);
bool cma_release_part(struct cma *cma, struct cma_buffer *buffer,
		      unsigned long nr_pages);

/* class.c: shared or exclusive */
int cma_class_read_lock(struct cma *cma, gfp_t gfp);
void cma_class_read_unlock(struct cma *cma);
const char *cma_class_name(enum cma_class class);

/*
 * How often a folio is mapped, if it still is one: without a reference it may
 * become the tail of another, which folio_mapcount() would warn of.
 */
static inline int cma_guess_maps(const struct folio *folio)
{
	int maps;

	if (READ_ONCE(folio->flags) & BIT(PG_head))
		return atomic_read(&folio->_large_mapcount) + 1;
	maps = atomic_read(&folio->_mapcount) + 1;
	return page_mapcount_is_type(maps) ? 0 : maps;
}

/* blocker.c: the page in the way */
void cma_blocker_note(struct cma_blocker *blocker, const struct page *page,
		      enum cma_block_reason reason);
bool cma_blocker_remember(const struct cma_blocker *blocker);
bool cma_blocker_recall(unsigned long start_pfn, unsigned long end_pfn,
			struct cma_blocker *blocker);

/* failure.c: why not */
void cma_failure_report(struct cma *cma, unsigned long nr_pages,
			unsigned int align_order, const char *owner, int error,
			const struct cma_blocker *blocker, bool warn);
void cma_failure_show(struct seq_file *seq);

/* fail.c: failures on purpose */
enum cma_fail_point {
	CMA_FAIL_BUFFER,	/* no memory for the record of the buffer */
	CMA_FAIL_TAKE,		/* free pages are not all free */
	CMA_FAIL_CLAIM,		/* interrupted while waiting for a peer */
	CMA_FAIL_ISOLATE,	/* a pageblock cannot be isolated */
	CMA_FAIL_EVACUATE,	/* a page does not get out of the way */
	CMA_FAIL_TARGET,	/* nowhere to move a page to */
	CMA_FAIL_COPY,		/* an unmapped page is in use after all */
	CMA_FAIL_NR
};

#ifdef CONFIG_FAIL_CMA
bool cma_should_fail(enum cma_fail_point point);
#else
static inline bool cma_should_fail(enum cma_fail_point point)
{
	return false;
}
#endif

#endif /* _MM_CMA_INTERNAL_H */
