/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks of mm/gup.c: folios leave the areas before they are pinned long-term.
 *
 * Inline, and behind a static key that is off until the first area is active.
 * Without CONFIG_CMA no code is left.
 */
#ifndef _MM_CMA_PIN_H
#define _MM_CMA_PIN_H

#include <linux/migrate.h>

#ifdef CONFIG_CMA

#include <linux/cma.h>
#include <linux/jump_label.h>

#include "../contig/hooks.h"

/* Move folios out of the areas before they are pinned long-term. */
static inline int cma_migrate_to_pin(struct list_head *folios,
				     unsigned long target)
{
	if (static_branch_unlikely(&cma_areas_active))
		return contig_move_to_pin(folios, target);
	return migrate_pages(folios, alloc_migration_target, NULL, target,
			     MIGRATE_SYNC, MR_LONGTERM_PIN, NULL);
}

/* Let other tasks that pin the same folios finish: mm/contig/pin.c. */
static inline void cma_wait_for_pinners(void)
{
	if (static_branch_unlikely(&cma_areas_active))
		contig_wait_to_pin();
}

#else

static inline int cma_migrate_to_pin(struct list_head *folios,
				     unsigned long target)
{
	return migrate_pages(folios, alloc_migration_target, NULL, target,
			     MIGRATE_SYNC, MR_LONGTERM_PIN, NULL);
}

static inline void cma_wait_for_pinners(void)
{
}

#endif

#endif /* _MM_CMA_PIN_H */
