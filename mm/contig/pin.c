// SPDX-License-Identifier: GPL-2.0
/*
 * Moves what is about to be pinned for long, for mm/gup.c.
 *
 * Whoever pins pages of an area for long moves them out of it first. Two who do
 * so with the same pages get in each other's way: each has a reference to a page
 * while it looks, so the other's migration fails, and a page that one of them
 * has isolated is not there for the other, who looks again and again. So a
 * migration that fails is tried again for a while, and those who have found all
 * of their pages isolated wait until the migrations under way are over. Nobody
 * waits with a page isolated, or with a reference to one.
 *
 * No lock. Context: process, with mmap_lock held; may sleep.
 */
#include <linux/jiffies.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "../internal.h"
#include "hooks.h"

/* Between them, pauses of 1, 2, 4 ms and so on: 127 ms in all. */
#define MAX_TRIES	8

/* A peer that takes longer is not waited for: it may wait for I/O. */
#define PEER_MS		500

static atomic_t nr_moving;
static DECLARE_WAIT_QUEUE_HEAD(moved);

/**
 * contig_move_to_pin() - move folios to where they can be pinned for long
 * @folios:	isolated folios; those that did not move are left on it
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
		/* So many stayed, most likely because somebody refers to them. */
		schedule_timeout_killable(max(msecs_to_jiffies(1U << i), 1UL));
		if (fatal_signal_pending(current))
			break;
	}
	/* The count comes before the look at who waits; it is a full barrier. */
	if (atomic_dec_and_test(&nr_moving) && wq_has_sleeper(&moved))
		wake_up_all(&moved);
	return error;
}

/**
 * contig_wait_to_pin() - let others finish who move folios to pin them
 *
 * For those who hold neither a reference to a folio nor one that is isolated.
 * Returns early if the task is being killed.
 *
 * Context: May sleep.
 */
void contig_wait_to_pin(void)
{
	wait_event_killable_timeout(moved, !atomic_read(&nr_moving),
				    msecs_to_jiffies(PEER_MS));
}
