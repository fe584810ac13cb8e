// SPDX-License-Identifier: GPL-2.0
/*
 * Moves pages that are about to be pinned long-term, for mm/gup.c.
 *
 * Long-term pins move pages of an area out of it first. Two tasks that pin the
 * same pages disturb each other: the reference that one of them has while it
 * looks fails the other's migration, and a page that one has isolated is
 * missing for the other, which looks again and again. So a migration that fails
 * is tried again for a while, and a task that finds all its pages isolated
 * waits until the migrations under way are over. No task waits with a page
 * isolated, or with a reference to one.
 *
 * No lock. Context: process, with mmap_lock held; may sleep.
 */
#include <linux/jiffies.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "kernel.h"
#include "hooks.h"

/* With pauses of 1, 2, 4 ms and so on between them: 127 ms in all. */
#define MAX_TRIES	8

/* A peer that takes longer may be waiting for I/O. */
#define PEER_MS		500

static atomic_t nr_moving;
static DECLARE_WAIT_QUEUE_HEAD(moved);

/**
 * contig_move_to_pin() - move folios to where they can be pinned long-term
 * @folios:	isolated folios; those that did not move stay on it
 * @target:	a struct migration_target_control
 *
 * Gives up early if the task is being killed.
 *
 * Context: May sleep.
 * Return: as migrate_pages(): 0 if all of them moved, how many did not, or
 * -ENOMEM if there was no memory to move them to.
 */
int contig_move_to_pin(struct list_head *folios, unsigned long target)
{
	int error;

	atomic_inc(&nr_moving);
	for (unsigned int i = 0; ; i++) {
		error = migrate_pages(folios, alloc_migration_target, NULL,
				      target, MIGRATE_SYNC, MR_LONGTERM_PIN,
				      NULL);
		if (error <= 0 || i + 1 == MAX_TRIES)
			break;
		/* Folios that are left most likely have a passing reference. */
		schedule_timeout_killable(max(msecs_to_jiffies(1U << i), 1UL));
		if (fatal_signal_pending(current))
			break;
	}
	/*
	 * Full barrier: pairs with that of the waiter before it reads the
	 * count.
	 */
	if (atomic_dec_and_test(&nr_moving) && wq_has_sleeper(&moved))
		wake_up_all(&moved);
	return error;
}

/**
 * contig_wait_to_pin() - let others finish who move folios to pin them
 *
 * The caller holds no reference to a folio and has isolated none.
 * Returns early if the task is being killed.
 *
 * Context: May sleep.
 */
void contig_wait_to_pin(void)
{
	wait_event_killable_timeout(moved, !atomic_read(&nr_moving),
				    msecs_to_jiffies(PEER_MS));
}
