/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations that the files of mm/cma/ share.
 *
 * Locks, outermost first (Documentation/mm/cma.rst has the whole table):
 *
 *   one_at_a_time		mode.c: a switch of a mode; slept on
 *   cma->mode_lock		mode of an area; slept on, read-held by a search
 *   claim on pageblocks	mm/contig/; slept on, held across migration
 *   cma->cache_mutex		buffers being zeroed or given back; slept on,
 *				but reclaim only tries it
 *
 * Below these, all IRQ safe. Only shard->lock is taken under another one:
 *
 *   cma->lock			range and headroom of an area, buffers taken
 *				through debugfs
 *   shard->lock		complete buffers, who owns them; alone, or under
 *				cma->lock
 *   cache->lock		cached buffers
 *   zone->lock			free lists
 */
#ifndef _MM_CMA_INTERNAL_H
#define _MM_CMA_INTERNAL_H

#include <linux/build_bug.h>
#include <linux/cma.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/percpu-rwsem.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/time64.h>
#include <linux/workqueue.h>

#include "../contig/contig.h"
#include "range.h"

struct seq_file;

/* Default time budget of a request whose first attempt fails. */
#define CMA_PATIENCE_MS		500

/* Each CPU caches buffers of up to this many pages; larger ones are shared. */
#define CMA_CACHE_PAGES_MAX	16

/* Default time a buffer stays cached, and the longest that can be set. */
#define CMA_CACHE_AGE_MS	1000
#define CMA_CACHE_AGE_MAX_MS	(60 * 60 * MSEC_PER_SEC)

/* Number of trees that the records of an area's buffers are spread over. */
#define CMA_SHARDS	32

/* Most pieces of memory that an area can consist of. */
#define CMA_MAX_BANKS	8

/* Periods of ten seconds that headroom.c looks back. */
#define CMA_HEADROOM_PERIODS	6

/* Longest name of an owner in a record, with the NUL. */
#define CMA_OWNER_LEN	24

/**
 * struct cma_shard - some of the buffers of an area
 * @lock:	covers @buffers and the @owned of each
 * @buffers:	complete buffers, by first page
 */
struct cma_shard {
	spinlock_t		lock;	/* buffers and their owners */
	struct rb_root		buffers;
};

/**
 * struct cma_cache - buffers waiting for the next request
 * @lock:	covers all other members
 * @nr_pages:	sum of the pages of all buffers
 * @nr_lists:	number of elements of @buffers
 * @by_age:	all buffers, oldest first; includes one that is being zeroed
 * @buffers:	lists by size in pages - 1; the last list also has all larger
 *		buffers
 */
struct cma_cache {
	spinlock_t		lock;	/* buffers, nr_pages */
	unsigned long		nr_pages;
	unsigned long		nr_lists;
	struct list_head	by_age;
	struct list_head	buffers[];
};

/**
 * struct cma_headroom - free pages of an area that programs fill last
 * @nr_used:	pages of buffers, cached ones included
 * @peaks:	the most pages in each of the last periods; the first is current
 * @peak:	the largest of @peaks
 * @min_pages:	drivers need at least so many
 * @max_pages:	drivers are taken to need at most so many
 * @nr_pages:	how many pages it has now
 * @lent:	programs may use the area
 * @work:	begins the next period
 */
struct cma_headroom {
	unsigned long		nr_used;
	unsigned long		peaks[CMA_HEADROOM_PERIODS];
	unsigned long		peak;
	unsigned long		min_pages;
	unsigned long		max_pages;
	unsigned long		nr_pages;
	bool			lent;
	struct delayed_work	work;
};

/**
 * struct cma_bank - a contiguous piece of an area
 * @start_pfn:	first page
 * @end_pfn:	first page past the end
 * @lent_start_pfn: first page that can be lent to the page allocator
 * @lent_end_pfn: first page past those
 * @nr_early:	how many of the first pages were taken before the area was active
 * @nr_headroom: its part of the area's headroom, in cma_headroom of its zone
 *
 * A pageblock has one migrate type, so only whole pageblocks can be lent. Up to
 * one partial pageblock at each end stays reserved.
 */
struct cma_bank {
	unsigned long start_pfn;
	unsigned long end_pfn;
	unsigned long lent_start_pfn;
	unsigned long lent_end_pfn;
	unsigned long nr_early;
	unsigned long nr_headroom;
};

/**
 * struct cma - one area
 * @lock:	covers @range, @headroom and @debug_buffers
 * @range:	who holds what, by pfn; gaps between banks are held forever
 * @banks:	its memory, by address
 * @nr_banks:	number of used elements of @banks
 * @nr_pages:	pages in all banks
 * @nr_lent:	pages in all banks that can be lent to the page allocator
 * @order_per_bit: every holder has a multiple of 1 << this many pages
 * @mode:	who may use pages that nobody holds; written under @mode_lock
 * @mode_lock:	held for reading by a search, for writing while the mode changes
 * @nr_folios:	compound pages that are handed out
 * @nr_trying:	windows held by searches that have not finished
 * @nr_dropped:	how often a search dropped a window it held
 * @fit:	which hole a request goes to
 * @patience_ms: time budget of a request whose first attempt fails
 * @headroom:	free pages that programs fill last
 * @shards:	complete buffers
 * @cache:	small cached buffers of each CPU; NULL if nothing is cached
 * @cache_large: larger cached buffers of all CPUs; NULL if none are cached
 * @cache_limit: most pages that may be cached, half of them in @cache_large
 * @cache_age_ms: how long a buffer stays cached
 * @cache_mutex: held while cached buffers are zeroed or given back
 * @zero_work:	zeroes cached buffers
 * @age_work:	gives back buffers that were cached for too long
 * @active:	the area can be allocated from; set once at boot
 * @reserve_pages_on_error: pages stay reserved if activation fails
 * @nr_pages_succeeded: pages handed out since boot
 * @nr_pages_failed: pages of failed requests since boot
 * @nr_pages_released: pages given back since boot
 * @users:	who takes buffers
 * @devices:	for CMA_FOR_DEVICES: globs for names of devices or drivers,
 *		separated by commas
 * @source:	who declared it, in words; NULL if kernel code did
 * @heap:	programs may allocate through a dma-buf heap
 * @kobj:	/sys/kernel/mm/cma/<name>
 * @debug_buffers: buffers taken through debugfs, latest first
 * @name:	as in sysfs, debugfs, messages and events
 */
struct cma {
	spinlock_t		lock;	/* range, headroom, debug_buffers */
	struct cma_range	range;
	struct cma_bank		banks[CMA_MAX_BANKS];
	unsigned int		nr_banks;
	unsigned long		nr_pages;
	unsigned long		nr_lent;
	unsigned int		order_per_bit;
	enum cma_mode		mode;
	struct percpu_rw_semaphore mode_lock;
	atomic_t		nr_folios;
	atomic_t		nr_trying;
	atomic_t		nr_dropped;
	enum cma_fit		fit;
	unsigned int		patience_ms;
	struct cma_headroom	headroom;
	struct cma_shard	shards[CMA_SHARDS];
	struct cma_cache __percpu *cache;
	struct cma_cache	*cache_large;
	unsigned long		cache_limit;
	unsigned int		cache_age_ms;
	struct mutex		cache_mutex;	/* cached buffers on no list */
	struct delayed_work	zero_work;
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
 * struct cma_buffer - record of a buffer: who holds a window of an area
 * @holder:	the window, in cma->range
 * @nr_pages:	pages requested; @holder may have more (order_per_bit). 0 for a
 *		gap between two banks
 * @reserved:	the pages were reserved when the buffer was made, see lend.c
 * @is_folio:	the pages are one compound page
 * @owned:	an owner has the pages
 * @zeroed:	the cached pages hold nothing but zeroes
 * @kind:	state of the cached pages, numbered by the architecture
 * @nr_disowned: pages that were released in parts, or are being released
 * @teardown:	ends the state @kind
 * @by_pfn:	in shard->buffers
 * @node:	in cma_cache.buffers or cma->debug_buffers
 * @nr_back:	pages whose release in parts has finished
 * @caller:	return address of the caller that allocated
 * @mapped:	kernel address of the cached pages
 * @pid:	task that allocated
 * @taken_s:	when the buffer was handed out, in seconds since boot
 * @cached_at:	when the buffer was cached, in jiffies
 * @comm:	name of the task that allocated
 * @owner:	name of the device; empty if there is none
 * @by_age:	in cma_cache.by_age
 *
 * Only buffer.c makes, completes, disowns and frees a record. Its state says
 * which members of the unions are valid:
 *
 *   new	cma_buffer_new(): none. A search may hold a window.
 *   owned	cma_buffer_complete(), cma_buffer_hand_out(): @caller, @taken_s
 *		and @owner; @node if it was taken through debugfs.
 *   disowned	cma_buffer_disown(): none. It is about to be freed or cached.
 *   cached	cma_buffer_set_cached(): @kind, @node, @mapped, @cached_at and
 *		@by_age. It is handed out again or freed.
 *
 * A compound page uses @nr_disowned and @nr_back instead of @kind and @node in
 * every state. It is never cached nor taken through debugfs.
 */
struct cma_buffer {
	struct cma_holder	holder;
	unsigned long		nr_pages;
	bool			reserved;
	bool			is_folio;
	bool			owned;
	bool			zeroed;
	union {
		unsigned long	kind;
		unsigned long	nr_disowned;
	};
	cma_teardown_t		teardown;
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
		unsigned long	cached_at;
	};
	char			comm[TASK_COMM_LEN];
	union {
		char		owner[CMA_OWNER_LEN];
		struct list_head by_age;
	};
};

/* A record of 129 bytes would come from kmalloc-192. */
static_assert(IS_ENABLED(CONFIG_64BIT) || sizeof(struct cma_buffer) <= 128);

/**
 * struct cma_failure_cause - why a request got no window
 * @blocker:	last page that was in the way
 * @no_hole:	no hole of the area was large enough
 * @widest_hole: pages of the widest hole at that time
 */
struct cma_failure_cause {
	struct contig_blocker blocker;
	bool no_hole;
	unsigned long widest_hole;
};

/* area.c: the registry of areas */
extern struct cma cma_areas[MAX_CMA_AREAS + 1];
extern unsigned int cma_area_count;
struct cma *cma_area_new(const char *name);
struct cma *cma_area_intersecting(unsigned long start_pfn,
				  unsigned long end_pfn);
const struct cma_bank *cma_bank_of(const struct cma *cma, unsigned long pfn);
unsigned long cma_area_index(const struct cma *cma, unsigned long pfn);
const char *cma_fit_name(enum cma_fit fit);
void cma_account_alloc(struct cma *cma, unsigned long nr_pages, int error);
void cma_account_release(struct cma *cma, unsigned long pfn,
			 unsigned long nr_pages);

/* floor.c: memory left for allocations that cannot use areas */
unsigned long cma_floor_spare(void);

/* headroom.c: free pages that programs fill last */
unsigned long cma_headroom_wanted(const struct cma_headroom *headroom);
void cma_headroom_count(struct cma_headroom *headroom, long nr_pages);
void cma_headroom_begin_period(struct cma_headroom *headroom);
void cma_headroom_init(struct cma *cma);
void cma_headroom_note(struct cma *cma, long nr_pages);
void cma_headroom_set_lent(struct cma *cma, bool lent);
void cma_headroom_set_min(struct cma *cma, unsigned long nr_pages);
void cma_headroom_set_max(struct cma *cma, unsigned long nr_pages);

/* lend.c: pages lent to the page allocator, and pages reserved from it */
bool cma_lent_part(const struct cma *cma, unsigned long *start_pfn,
		   unsigned long *end_pfn);
void cma_put_pages(struct cma *cma, unsigned long start_pfn,
		   unsigned long nr_pages, bool reserved, bool frozen);
unsigned long cma_first_in_use(unsigned long pfn, unsigned long end_pfn);
unsigned long cma_first_not_reserved(unsigned long pfn, unsigned long end_pfn);
void cma_lend(unsigned long start_pfn, unsigned long end_pfn);
void cma_reserve_pages(unsigned long start_pfn, unsigned long end_pfn);
void cma_account_lent(struct cma *cma, bool lent);

/* buffer.c: records of buffers */
struct cma_buffer *cma_buffer_new(unsigned long nr_pages, bool is_folio);
void cma_buffer_discard(struct cma_buffer *buffer);
int cma_buffer_hold_early(struct cma *cma, const struct cma_bank *bank);
int cma_buffer_hold_gap(struct cma *cma, unsigned long start_pfn,
			unsigned long end_pfn);
void cma_buffer_free_all(struct cma *cma);
struct cma_buffer *cma_buffer_at(struct cma *cma, unsigned long pfn);
void cma_buffer_complete(struct cma *cma, struct cma_buffer *buffer);
void cma_buffer_hand_out(struct cma_buffer *buffer, const char *owner,
			 unsigned long caller);
void cma_buffer_snapshot(struct cma *cma, const struct cma_buffer *buffer,
			 struct cma_buffer *copy);
struct cma_buffer *cma_buffer_disown(struct cma *cma, unsigned long pfn,
				     unsigned long nr_pages);
void cma_buffer_set_cached(struct cma_buffer *buffer, unsigned long kind,
			   void *mapped, cma_teardown_t teardown);
void cma_buffer_give_back(struct cma *cma, struct cma_buffer *buffer,
			  bool frozen);
void cma_buffer_trim(struct cma *cma, struct cma_buffer *buffer,
		     unsigned long nr_pages);
bool cma_buffer_give_back_part(struct cma *cma, unsigned long pfn,
			       unsigned long nr_pages, bool frozen);

/* cache.c: buffers waiting for the next request */
void cma_cache_init_area(struct cma *cma);
bool cma_cache_flush(struct cma *cma);
unsigned long cma_cache_shrink(unsigned long nr_wanted);
void cma_cache_set_limit(struct cma *cma, unsigned long nr_pages);
void cma_cache_set_age(struct cma *cma, unsigned int ms);
unsigned long cma_cache_pages(struct cma *cma);
unsigned long cma_nr_available(struct cma *cma);
unsigned long cma_cache_zeroed_pages(struct cma *cma);

/* search.c: find a window and take it */
int cma_search(struct cma *cma, struct cma_buffer *buffer,
	       unsigned int align_order, unsigned int flags,
	       struct cma_failure_cause *cause);

/* reserve.c: declare and activate areas */
void cma_areas_enable(void);

/* alloc.c: allocate and release */
#define CMA_ALLOC_NOWARN	BIT(0)	/* do not log a failure */
#define CMA_ALLOC_COMPOUND	BIT(1)	/* one compound page */
#define CMA_ALLOC_FROZEN	BIT(2)	/* pages without references */

struct page *cma_alloc_buffer(struct cma *cma, unsigned long nr_pages,
			      unsigned int align_order, unsigned int flags,
			      const char *owner, unsigned long caller);
bool cma_release_buffer(struct cma *cma, const struct page *pages,
			unsigned long count, bool frozen);
bool cma_release_part(struct cma *cma, struct cma_buffer *buffer,
		      unsigned long nr_pages);

/* mode.c: switch between shared and exclusive */
int cma_mode_read_lock(struct cma *cma, gfp_t gfp);
void cma_mode_read_unlock(struct cma *cma);
const char *cma_mode_name(enum cma_mode mode);

/* failure.c: report why a request failed */
void cma_failure_report(struct cma *cma, unsigned long nr_pages,
			unsigned int align_order, const char *owner, int error,
			const struct cma_failure_cause *cause, bool warn);
void cma_failure_show(struct seq_file *seq);

#endif /* _MM_CMA_INTERNAL_H */
