/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the contiguous memory allocator share among themselves.
 *
 * Locks, outermost first (Documentation/mm/cma.rst has the whole table):
 *
 *   cma->mode_lock		the mode of an area; slept on
 *   claim on pageblocks	contig.c; slept on, held across migration
 *   cma->cache_mutex		buffers cleared or given back; slept on
 *   cma->lock			range of an area; IRQ safe
 *   shard->lock		who owns which buffer; IRQ safe
 *   cache->lock		buffers kept for the next request; IRQ safe
 *   zone->lock			free lists; IRQ safe
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

/* What a request that finds no window at once may take longer, by default. */
#define CMA_PATIENCE_MS		500

/* Buffers of up to so many pages are kept by each CPU. */
#define CMA_CACHE_PAGES_MAX	16

/* How long a buffer that nobody wants is kept, by default. */
#define CMA_CACHE_AGE_MS	1000
#define CMA_CACHE_AGE_MAX_MS	(60 * 60 * MSEC_PER_SEC)

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
 * struct cma_cache - buffers kept for the next request
 * @lock:	covers the rest
 * @nr_pages:	in all
 * @nr_lists:	size of @buffers
 * @by_age:	all buffers, the one that is kept longest first; one that is being
 *		cleared stays here
 * @buffers:	by their size in pages - 1; larger ones than there are lists are
 *		on the last one
 */
struct cma_cache {
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
 * @mode:	who may use pages that nobody holds; changes under @mode_lock
 * @mode_lock:	held for reading while a window is looked for, for writing while
 *		the mode changes
 * @nr_folios:	compound pages that are out
 * @nr_trying:	windows held by requests that are not through with them
 * @nr_dropped:	how often such a window became free again
 * @fit:	which hole a request goes to
 * @patience_ms: how long a request tries to get a window before it fails
 * @shards:	complete buffers
 * @cache:	small buffers that each CPU keeps for the next request; NULL if
 *		none are kept
 * @cache_large: larger ones, of all CPUs; NULL if none are kept
 * @cache_limit: most pages that are kept, half of them in @cache_large
 * @cache_age_ms: how long, if nobody wants them
 * @cache_mutex: held while what is kept is cleared or given back
 * @zero_work:	clears what is kept
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
	enum cma_mode		mode;
	struct percpu_rw_semaphore mode_lock;
	atomic_t		nr_folios;
	atomic_t		nr_trying;
	atomic_t		nr_dropped;
	enum cma_fit		fit;
	unsigned int		patience_ms;
	struct cma_shard	shards[CMA_SHARDS];
	struct cma_cache __percpu *cache;
	struct cma_cache	*cache_large;
	unsigned long		cache_limit;
	unsigned int		cache_age_ms;
	struct mutex		cache_mutex;	/* buffers on no list */
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
 * struct cma_buffer - who holds a window of an area
 * @holder:	the window, in cma->range
 * @nr_pages:	pages asked for; the holder may hold more (order_per_bit). 0 for
 *		what lies between the banks of an area
 * @reserved:	the pages were not the page allocator's before
 * @is_folio:	the pages are one compound page
 * @owned:	the pages are the owner's: set when the allocation is complete,
 *		cleared by the release
 * @zeroed:	nothing but zeroes, while kept
 * @kind:	in what state it was kept; the architecture's
 * @nr_claimed:	pages of a compound page that are on their way back in parts,
 *		those that came back among them
 * @nr_back:	pages of a compound page that came back in parts
 * @teardown:	what ends that state
 * @by_pfn:	in the tree of a shard while the pages are complete
 * @node:	in cma->cache while kept, in cma->debug_buffers while taken
 *		through debugfs
 * @caller:	who called cma_alloc()
 * @mapped:	where it is mapped, while kept
 * @pid:	the task that did
 * @taken_s:	when it was handed out, in seconds since boot
 * @cached_at:	since when it is kept, in jiffies
 * @comm:	the task's name then
 * @owner:	for whom: the name of a device; empty if nobody said
 * @by_age:	in cma->cache while kept
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
		unsigned long	nr_claimed;
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

/* One more byte, and the slab allocator would take 192 for each. */
static_assert(IS_ENABLED(CONFIG_64BIT) || sizeof(struct cma_buffer) <= 128);

/**
 * struct cma_failure_cause - why a request got no window
 * @blocker:	the last page that was in the way
 * @no_hole:	no hole of the area was large enough
 * @widest_hole: pages of the widest one then
 */
struct cma_failure_cause {
	struct contig_blocker blocker;
	bool no_hole;
	unsigned long widest_hole;
};

/* area.c: the registry */
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

/* floor.c: what those who cannot use areas have left */
unsigned long cma_floor_spare(void);

/* lend.c: what the page allocator has of an area */
bool cma_lent_part(const struct cma *cma, unsigned long *start_pfn,
		   unsigned long *end_pfn);
void cma_put_pages(struct cma *cma, unsigned long start_pfn,
		   unsigned long nr_pages, bool reserved);
unsigned long cma_first_in_use(unsigned long pfn, unsigned long end_pfn);
unsigned long cma_first_not_reserved(unsigned long pfn, unsigned long end_pfn);
void cma_lend(unsigned long start_pfn, unsigned long end_pfn);
void cma_reserve_pages(unsigned long start_pfn, unsigned long end_pfn);
void cma_account_lent(struct cma *cma, bool lent);

/* buffer.c: who holds what */
struct cma_buffer *cma_buffer_at(struct cma *cma, unsigned long pfn);
void cma_buffer_complete(struct cma *cma, struct cma_buffer *buffer);
void cma_buffer_hand_out(struct cma_buffer *buffer, const char *owner,
			 unsigned long caller);
void cma_buffer_snapshot(const struct cma_buffer *buffer,
			 struct cma_buffer *copy);
struct cma_buffer *cma_buffer_disown(struct cma *cma, unsigned long pfn,
				     unsigned long nr_pages);
void cma_buffer_give_back(struct cma *cma, struct cma_buffer *buffer);
void cma_buffer_trim(struct cma *cma, struct cma_buffer *buffer,
		     unsigned long nr_pages);
bool cma_buffer_give_back_part(struct cma *cma, unsigned long pfn,
			       unsigned long nr_pages);

/* cache.c: buffers kept for the next request */
void cma_cache_init_area(struct cma *cma);
bool cma_cache_flush(struct cma *cma);
unsigned long cma_cache_shrink(unsigned long nr_wanted);
void cma_cache_set_limit(struct cma *cma, unsigned long nr_pages);
void cma_cache_set_age(struct cma *cma, unsigned int ms);
unsigned long cma_cache_pages(struct cma *cma);
unsigned long cma_cache_zeroed_pages(struct cma *cma);

/* search.c: a window, and what is tried to get one */
int cma_search(struct cma *cma, struct cma_buffer *buffer,
	       unsigned int align_order, gfp_t gfp,
	       struct cma_failure_cause *cause);

/* alloc.c */
struct page *cma_alloc_gfp(struct cma *cma, unsigned long nr_pages,
			   unsigned int align_order, gfp_t gfp,
			   const char *owner, unsigned long caller);
bool cma_release_part(struct cma *cma, struct cma_buffer *buffer,
		      unsigned long nr_pages);

/* mode.c: shared or exclusive */
int cma_mode_read_lock(struct cma *cma, gfp_t gfp);
void cma_mode_read_unlock(struct cma *cma);
const char *cma_mode_name(enum cma_mode mode);

/* failure.c: why not */
void cma_failure_report(struct cma *cma, unsigned long nr_pages,
			unsigned int align_order, const char *owner, int error,
			const struct cma_failure_cause *cause, bool warn);
void cma_failure_show(struct seq_file *seq);

#endif /* _MM_CMA_INTERNAL_H */
