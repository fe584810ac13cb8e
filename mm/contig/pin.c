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
 * Most pages are mapped and otherwise unused. As long as memory is free outside
 * of areas, they are moved by the hundred, as out of a window. migrate_pages()
 * moves the others.
 *
 * No lock. Context: process, with mmap_lock held; may sleep.
 */
#include <linux/jiffies.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "kernel.h"
#include "contig.h"
#include "folio.h"
#include "hooks.h"

/* With pauses of 1, 2, 4 ms and so on between them: 127 ms in all. */
#define MAX_TRIES	8

/* Pages that move together; TLBs are flushed once for them. */
#define PIN_BATCH	128

/* A peer that takes longer may be waiting for I/O. */
#define PEER_MS		500

static atomic_t nr_moving;
static DECLARE_WAIT_QUEUE_HEAD(moved);

/*
 * The page allocator chooses where pages that will be unmovable go. A copy takes
 * the place of its page in the counters of the zone, so it must be of the same.
 * Return: how many targets there are.
 */
static unsigned int allocate_pin_targets(struct zone *zone, gfp_t gfp,
					 unsigned int nr_wanted,
					 struct list_head *targets)
{
	struct page *pages[PIN_BATCH] = { };
	unsigned int nr, nr_targets = 0;

	nr = alloc_pages_bulk_node(gfp, zone_to_nid(zone), nr_wanted, pages);
	for (unsigned int i = 0; i < nr; i++) {
		if (page_zone(pages[i]) != zone) {
			__free_page(pages[i]);
			continue;
		}
		list_add_tail(&pages[i]->lru, targets);
		nr_targets++;
	}
	return nr_targets;
}

/* Takes folios of one zone that can move together off the list. */
static struct zone *collect_to_pin(struct list_head *folios,
				   struct contig_batch *batch,
				   struct list_head *others)
{
	struct folio *folio, *next;
	struct zone *zone = NULL;

	list_for_each_entry_safe(folio, next, folios, lru) {
		if (batch->nr_pages == PIN_BATCH)
			break;
		if (!contig_is_plainly_mapped(folio, 1)) {
			list_move_tail(&folio->lru, others);
			continue;
		}
		if (zone && folio_zone(folio) != zone)
			continue;
		zone = folio_zone(folio);
		list_move(&folio->lru, &batch->folios);
		batch->nr_pages++;
	}
	return zone;
}

/* Moves folios as long as there is free memory; the others stay on the list. */
static void move_plain_folios(struct list_head *folios, gfp_t gfp)
{
	LIST_HEAD(others);

	while (!list_empty(folios)) {
		struct contig_batch batch = {
			.folios = LIST_HEAD_INIT(batch.folios),
		};
		struct zone *zone = collect_to_pin(folios, &batch, &others);
		unsigned int nr_moved = 0;
		LIST_HEAD(targets);

		if (!zone)
			break;
		if (allocate_pin_targets(zone, gfp, batch.nr_pages, &targets))
			nr_moved = contig_remap(zone, &batch.folios, &targets);
		contig_targets_free(&targets);
		list_splice_tail(&batch.folios, &others);
		if (!nr_moved)
			break;
	}
	list_splice_tail(&others, folios);
}

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
	const struct migration_target_control *control =
		(struct migration_target_control *)target;
	int error = 0;

	atomic_inc(&nr_moving);
	move_plain_folios(folios, control->gfp_mask & ~__GFP_DIRECT_RECLAIM);
	for (unsigned int i = 0; !list_empty(folios); i++) {
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
