// SPDX-License-Identifier: GPL-2.0
/*
 * Decides when a request wakes kswapd.
 *
 * A request that finds no free memory reclaims the pages in its window. To
 * compress them, zram allocates, below the low watermark, which would wake
 * kswapd in the middle of the request. On one CPU kswapd then takes half of the
 * time, or more, to reclaim up to the high watermark: a request of 4 MiB took
 * 36 million instructions, 20 of them kswapd's, and the next request found
 * little of the memory that this had freed.
 *
 * So allocations of a request do not wake kswapd as long as three quarters of
 * the min watermark are free for those who cannot use areas. Atomic allocations
 * may go down to three eighths (__zone_watermark_ok()): they still have half of
 * their own reserve. Other allocations wake kswapd at the low watermark as
 * always. If there are none, kswapd is woken a moment after the last request,
 * when a driver that takes a row of buffers has most of them.
 *
 * Lock: reclaimers_lock covers the list; a leaf, taken in any context but NMI.
 */
#include <linux/list.h>
#include <linux/mmzone.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/swap.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

#include "kernel.h"
#include "contig.h"
#include "hooks.h"

/* From the end of a request until kswapd is woken. */
#define KSWAPD_DELAY_MS		100

static DEFINE_RAW_SPINLOCK(reclaimers_lock);
static LIST_HEAD(reclaimers);

/* Free pages outside of areas. */
static unsigned long nr_free_outside(struct zone *zone)
{
	long nr_pages = zone_page_state(zone, NR_FREE_PAGES) -
			zone_page_state(zone, NR_FREE_CMA_PAGES);

	return max(0L, nr_pages);
}

/*
 * Allocations refill the per-CPU list by hundreds: those pages are free, too.
 */
static unsigned long nr_on_this_cpu(struct zone *zone)
{
	return READ_ONCE(raw_cpu_ptr(zone->per_cpu_pageset)->count);
}

/*
 * The kernel's own allocations come from low memory. A watermark boost makes
 * kswapd do more, and is no reserve.
 */
static bool reserves_are_left(struct pglist_data *node)
{
	for (int i = 0; i <= ZONE_NORMAL; i++) {
		struct zone *zone = &node->node_zones[i];

		if (managed_zone(zone) &&
		    nr_free_outside(zone) + nr_on_this_cpu(zone) <
		    zone->_watermark[WMARK_MIN] / 4 * 3)
			return false;
	}
	return true;
}

static bool is_reclaimer(const struct task_struct *task)
{
	const struct contig_reclaimer *reclaimer;
	bool found = false;
	unsigned long flags;

	raw_spin_lock_irqsave(&reclaimers_lock, flags);
	list_for_each_entry(reclaimer, &reclaimers, node)
		found |= reclaimer->task == task;
	raw_spin_unlock_irqrestore(&reclaimers_lock, flags);
	return found;
}

/**
 * contig_defers_kswapd() - is this an allocation that must not wake kswapd
 * @zone:	a zone of the node where memory is short
 *
 * Context: Any but NMI.
 * Return: true if the current task is a request that reclaims, and reserves are
 * left.
 */
bool contig_defers_kswapd(const struct zone *zone)
{
	return !list_empty_careful(&reclaimers) && in_task() &&
	       is_reclaimer(current) && reserves_are_left(zone->zone_pgdat);
}

static void wake_kswapd_work(struct work_struct *work)
{
	struct zone *zone;

	/* wakeup_kswapd() checks the high watermark, with areas counted. */
	for_each_populated_zone(zone)
		if (nr_free_outside(zone) < low_wmark_pages(zone))
			wakeup_kswapd(zone, GFP_KERNEL, 0, zone_idx(zone));
}

static DECLARE_DELAYED_WORK(wake_work, wake_kswapd_work);

/**
 * contig_begin_reclaim() - this task may reclaim for a request from here on
 * @self:	entry for the list, on the task's stack
 *
 * Context: Process context.
 */
void contig_begin_reclaim(struct contig_reclaimer *self)
{
	self->task = current;
	raw_spin_lock_irq(&reclaimers_lock);
	list_add(&self->node, &reclaimers);
	raw_spin_unlock_irq(&reclaimers_lock);
}

/**
 * contig_end_reclaim() - this task has finished its request
 * @self:	the entry
 * @zone:	of the request
 * @gfp:	of the request
 *
 * Targets come off the buddy lists without an allocation that would notice that
 * memory is short, so this checks the watermarks.
 *
 * Context: Process context.
 */
void contig_end_reclaim(struct contig_reclaimer *self, struct zone *zone,
			gfp_t gfp)
{
	raw_spin_lock_irq(&reclaimers_lock);
	list_del(&self->node);
	raw_spin_unlock_irq(&reclaimers_lock);

	if (!(gfp & __GFP_KSWAPD_RECLAIM))
		return;
	if (!reserves_are_left(zone->zone_pgdat))
		wakeup_kswapd(zone, gfp, 0, zone_idx(zone));
	else if (nr_free_outside(zone) < low_wmark_pages(zone))
		mod_delayed_work(system_percpu_wq, &wake_work,
				 msecs_to_jiffies(KSWAPD_DELAY_MS));
}
