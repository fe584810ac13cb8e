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
 * Below these, IRQ safe unless told. shard->lock and store->lock are taken under
 * others:
 *
 *   cma->lock			range and headroom of an area, buffers taken
 *				through debugfs
 *   shard->lock		complete buffers, who owns them; alone, or under
 *				cma->lock
 *   cache->lock		cached buffers
 *   store->copy_locks[]	contents of idle pages of a guaranteed area; not
 *				IRQ safe
 *   store->lock		which of them has which copy; also under
 *				cma->lock and copy_locks[]
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
#include "../contig/describe.h"
#include "range.h"

struct contig_store;
struct contig_store_stats;
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
 * @nr_hits:	buffers that were taken from here since boot
 * @nr_lists:	number of elements of @buffers
 * @by_age:	all buffers, oldest first; includes one that is being zeroed
 * @buffers:	lists by size in pages - 1; the last list also has all larger
 *		buffers
 */
struct cma_cache {
	spinlock_t		lock;	/* buffers, nr_pages, nr_hits */
	unsigned long		nr_pages;
	unsigned long		nr_hits;
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
 * @store:	copies of evicted page cache; NULL unless the area is guaranteed
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
	struct contig_store *store;
};

/**
 * enum cma_result - how a request ended, for its counter
 * @CMA_NO_ROOM:	no hole was large enough
 * @CMA_BUSY:		pages did not get out of the way
 * @CMA_NO_MEMORY:	there was no memory to move pages to
 * @CMA_KILLED:		the task was killed
 * @CMA_INVALID:	there is no such size or alignment, or no such area
 * @CMA_NR_FAILURES:	number of ways to fail
 */
enum cma_result {
	CMA_NO_ROOM,
	CMA_BUSY,
	CMA_NO_MEMORY,
	CMA_KILLED,
	CMA_INVALID,
	CMA_NR_FAILURES
};

/* Buckets of latencies: the last one has all from 2^22 us, 4 seconds, on. */
#define CMA_LATENCY_BUCKETS	24

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
 * @stored_max:	most copies of evicted page cache, in pages
 * @stored_one_in: admission of copies, see contig_store_set_admission()
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
 * @nr_failed:	failed requests since boot, by enum cma_result
 * @latency:	requests that took a window, by the logarithm of microseconds
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
#ifdef CONFIG_CMA_GUARANTEED
	unsigned long		stored_max;
	unsigned int		stored_one_in;
#endif
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
	atomic_long_t		nr_failed[CMA_NR_FAILURES];
	atomic_long_t		latency[CMA_LATENCY_BUCKETS];
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

/* Pages in the way that a report names. */
#define CMA_BLOCKERS	4

/**
 * struct cma_failure_cause - why a request got no window
 * @blocker:	the last pages that were in the way, the very last one first
 * @nr_surveyed: windows that were looked at
 * @nr_tried:	windows that were evacuated in vain
 * @no_hole:	no hole of the area was large enough
 * @widest_hole: pages of the widest hole at that time
 */
struct cma_failure_cause {
	struct contig_blocker blocker[CMA_BLOCKERS];
	unsigned int nr_surveyed;
	unsigned int nr_tried;
	bool no_hole;
	unsigned long widest_hole;
};

/**
 * enum cma_page_kind - what a page of an area holds, besides the kinds of
 *	mm/contig/
 * @CMA_PAGE_HELD:	a buffer that an owner has
 * @CMA_PAGE_CACHED:	a cached buffer
 * @CMA_PAGE_SEARCH:	a window that a search tries
 * @CMA_PAGE_RESERVED:	reserved from the page allocator, in no buffer
 * @CMA_PAGE_STORED:	reserved, with a copy of evicted page cache
 * @CMA_PAGE_NR:	number of kinds, with those of mm/contig/
 */
enum cma_page_kind {
	CMA_PAGE_HELD = CONTIG_PAGE_NR,
	CMA_PAGE_CACHED,
	CMA_PAGE_SEARCH,
	CMA_PAGE_RESERVED,
	CMA_PAGE_STORED,
	CMA_PAGE_NR
};

/**
 * struct cma_census - the pages of an area, counted by what they hold
 * @nr_pages:	of each enum contig_page_kind and enum cma_page_kind
 */
struct cma_census {
	unsigned long nr_pages[CMA_PAGE_NR];
};

/**
 * struct cma_failure - record of a failed request
 * @number:	1 for the first failure since boot
 * @cma:	the area
 * @when_ns:	nanoseconds since boot
 * @nr_pages:	number of pages requested
 * @align_order: requested alignment is 1 << this many pages
 * @error:	negative error code
 * @cause:	why
 * @who:	who uses each page of @cause, in words
 * @nr_unheld:	pages that no holder had
 * @widest_hole: pages of the widest hole
 * @is_full:	@census is known
 * @census:	what the pages held
 * @pid:	task that asked
 * @comm:	its name
 * @owner:	name of the device; empty if there is none
 */
struct cma_failure {
	u64 number;
	struct cma *cma;
	u64 when_ns;
	unsigned long nr_pages;
	unsigned int align_order;
	int error;
	struct cma_failure_cause cause;
	char who[CMA_BLOCKERS][128];
	unsigned long nr_unheld;
	unsigned long widest_hole;
	bool is_full;
	struct cma_census census;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	char owner[CMA_MAX_NAME];
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
unsigned long cma_nr_available(struct cma *cma);
unsigned long cma_nr_held(struct cma *cma);
void cma_account_alloc(struct cma *cma, unsigned long nr_pages, int error);
unsigned int cma_latency_bucket(u64 passed_ns);
void cma_account_latency(struct cma *cma, u64 start_ns);
void cma_account_failure(struct cma *cma, int error, bool no_hole);
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
enum cma_page_kind cma_buffer_kind(struct cma *cma, struct cma_holder *holder);
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
unsigned long cma_cache_hits(struct cma *cma);
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

/* Without the mode guaranteed, a kernel makes the area exclusive at boot. */
static inline enum cma_mode cma_supported_mode(enum cma_mode mode)
{
	return mode == CMA_GUARANTEED && !IS_ENABLED(CONFIG_CMA_GUARANTEED) ?
	       CMA_EXCLUSIVE : mode;
}

/* mode.c: switch between the modes */
int cma_mode_read_lock(struct cma *cma, gfp_t gfp);
void cma_mode_read_unlock(struct cma *cma);
const char *cma_mode_name(enum cma_mode mode);
int cma_mode_parse(const char *name);

/* guaranteed.c: copies of evicted page cache in idle pages */
#ifdef CONFIG_CMA_GUARANTEED
void cma_store_take(const struct cma *cma, unsigned long start_pfn,
		    unsigned long nr_pages);
void cma_store_give(const struct cma *cma, unsigned long start_pfn,
		    unsigned long nr_pages);
int cma_stores_new(const struct cma *cma, struct contig_store **stores);
void cma_stores_free(struct contig_store **stores);
void cma_stores_open(struct cma *cma, struct contig_store **stores);
void cma_stores_close(struct cma *cma, struct contig_store **stores);
void cma_stores_stats(const struct cma *cma, struct contig_store_stats *sum);
void cma_stores_set_max(struct cma *cma, unsigned long nr_pages);
void cma_stores_set_admission(struct cma *cma, unsigned int one_in);
bool cma_store_has(const struct cma *cma, unsigned long pfn);
#else
static inline void cma_store_take(const struct cma *cma,
				  unsigned long start_pfn,
				  unsigned long nr_pages)
{
}

static inline void cma_store_give(const struct cma *cma,
				  unsigned long start_pfn,
				  unsigned long nr_pages)
{
}

static inline int cma_stores_new(const struct cma *cma,
				 struct contig_store **stores)
{
	return -EOPNOTSUPP;
}

static inline void cma_stores_free(struct contig_store **stores) { }
static inline void cma_stores_open(struct cma *cma,
				   struct contig_store **stores)
{
}

static inline void cma_stores_close(struct cma *cma,
				    struct contig_store **stores)
{
}

static inline bool cma_store_has(const struct cma *cma, unsigned long pfn)
{
	return false;
}
#endif

/* failure.c: report why a request failed */
void cma_failure_report(struct cma *cma, unsigned long nr_pages,
			unsigned int align_order, const char *owner, int error,
			const struct cma_failure_cause *cause, bool warn);
void cma_failure_note(struct cma_failure_cause *cause,
		      const struct contig_blocker *blocker);
bool cma_failure_next(u64 number, struct cma_failure *copy);
void cma_failure_show(struct seq_file *seq, const struct cma_failure *failure);
void cma_failure_show_line(struct seq_file *seq,
			   const struct cma_failure *failure);

/* Pages that cma_map_pages() looks at; their kinds lie on the stack. */
#define CMA_MAP_PAGES	256UL

/* map.c: what each page of an area holds */
const char *cma_page_kind_name(unsigned int kind);
void cma_map_pages(struct cma *cma, unsigned long pfn, unsigned long end_pfn,
		   u8 *kinds);
void cma_count_pages(struct cma *cma, struct cma_census *census);
unsigned long cma_census_lent(const struct cma_census *census);
unsigned long cma_census_free(const struct cma_census *census);
unsigned long cma_census_can_go(const struct cma_census *census);

#endif /* _MM_CMA_INTERNAL_H */
