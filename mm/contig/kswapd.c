// SPDX-License-Identifier: GPL-2.0
/*
 * When requests wake kswapd.
 *
 * A request that finds no free memory reclaims what is in its way itself. To
 * compress that, zram allocates, below the low watermark, and would wake kswapd
 * in the middle of it. With one CPU kswapd then takes half of the time, or more,
 * to reclaim up to the high watermark: a request of 4 MiB took 36 million
 * instructions, 20 of them kswapd's, and the next one of the row found little of
 * what that had freed.
 *
 * So what a request allocates does not wake kswapd, as long as three quarters of
 * the min watermark are free for those who cannot use areas. Atomic allocations
 * may take all but three eighths (__zone_watermark_ok()): half of what is theirs
 * alone is left. Whoever else allocates wakes kswapd as always, at the low
 * watermark. If nobody does, it is woken a moment after the request, when a
 * driver that takes a row of buffers has most of them.
 *
 * Lock: reclaimers_lock, a leaf; wakeup_kswapd() is called in any context but
 * NMI.
 */
#include <linux/list.h>
#include <linux/mmzone.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/swap.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

#include "../internal.h"
#include "contig.h"
#include "hooks.h"

/* From the end of a request until kswapd makes up for it. */
#define KSWAPD_DELAY_MS		100

static DEFINE_RAW_SPINLOCK(reclaimers_lock);
static LIST_HEAD(reclaimers);

/* Free pages of a zone that those who cannot use areas may have. */
static unsigned long nr_free_outside(struct zone *zone)
{
	long nr_pages = zone_page_state(zone, NR_FREE_PAGES) -
			zone_page_state(zone, NR_FREE_CMA_PAGES);

	return max(0L, nr_pages);
}

/* Free as well: what a request allocates comes by hundreds to such a list. */
static unsigned long nr_on_this_cpu(struct zone *zone)
{
	return READ_ONCE(raw_cpu_ptr(zone->per_cpu_pageset)->count);
}

/*
 * What the kernel itself allocates comes from low memory. A boost is no reserve,
 * but makes kswapd do more.
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
 * contig_defers_kswapd() - whether an allocation of a request must not wake it
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

	/* wakeup_kswapd() itself goes by the high watermark, areas included. */
	for_each_populated_zone(zone)
		if (nr_free_outside(zone) < low_wmark_pages(zone))
			wakeup_kswapd(zone, GFP_KERNEL, 0, zone_idx(zone));
}

static DECLARE_DELAYED_WORK(wake_work, wake_kswapd_work);

/**
 * contig_begin_reclaim() - from here on this task may reclaim for a request
 * @self:	its entry, on its stack
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
 * contig_end_reclaim() - what contig_begin_reclaim() began is over
 * @self:	its entry
 * @zone:	where the request was
 * @gfp:	of the request
 *
 * Where there were targets to move to, no allocation noticed that memory became
 * short: kswapd is seen to here.
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
		mod_delayed_work(system_wq, &wake_work,
				 msecs_to_jiffies(KSWAPD_DELAY_MS));
}
