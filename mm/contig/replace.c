// SPDX-License-Identifier: GPL-2.0
/*
 * Replaces anonymous pages in the page table of the only program that maps
 * them.
 *
 * rmap looks for the mapping of each page twice: to take the page out, and to
 * enter its copy. But pages that are evacuated together mostly lie side by side
 * in one page table. So the table is looked for once a run of pages, and its
 * lock is held while they are copied. There are no migration entries: who
 * faults on such a page waits for the lock, and finds the copy.
 *
 * remap.c moves what needs more: pages with several mappings, pages of files
 * and of the swap cache, and memory that is locked, mirrored by a device, or
 * watched by userfaultfd.
 *
 * Locks, outermost first: the folios, anon_vma of the run, its page table, an
 * LRU list.
 */
#include <linux/hugetlb.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/page_owner.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <asm/tlbflush.h>

#include "kernel.h"
#include "contig.h"
#include "folio.h"

/* Pages of a run: 64 KiB are copied under the lock of a page table. */
#define RUN_MAX		16

/* A run lies within so many pages; they are flushed from TLBs as one range. */
#define SPAN_MAX	(2 * RUN_MAX)

/**
 * struct replace_run - pages of one page table that are replaced together
 * @vma:	where they are mapped
 * @first_pte:	entry of the first page
 * @first:	its address
 * @start:	lowest address
 * @end:	first address behind the highest one
 * @nr:		number of pages
 * @exclusive:	a bit for each page that belongs to this program alone
 * @moves:	the pages and their copies
 * @ptes:	entries that were taken out
 */
struct replace_run {
	struct vm_area_struct *vma;
	pte_t *first_pte;
	unsigned long first;
	unsigned long start;
	unsigned long end;
	unsigned int nr;
	DECLARE_BITMAP(exclusive, RUN_MAX);
	struct contig_move moves[RUN_MAX];
	pte_t ptes[RUN_MAX];
};

static bool is_replaceable(const struct folio *folio)
{
	return folio_test_anon(folio) && !folio_test_swapcache(folio) &&
	       !atomic_read(&folio->_mapcount) &&
	       contig_is_plainly_mapped(folio, CONTIG_BATCH_REFS);
}

/*
 * The caller holds the lock of an anon_vma of @vma. Whoever registers an MMU
 * notifier takes it for writing, so none comes meanwhile.
 */
static bool is_replaceable_in(struct vm_area_struct *vma)
{
	return !(vma->vm_flags & VM_LOCKED) && !vma_is_temporary_stack(vma) &&
	       !mm_has_notifiers(vma->vm_mm);
}

/* In an entry with nothing special: no NUMA hint, not watched by userfaultfd. */
static bool pte_maps_folio(pte_t pte, struct folio *folio)
{
	return pte_present(pte) && !pte_protnone(pte) && !pte_uffd(pte) &&
	       pte_pfn(pte) == folio_pfn(folio);
}

static pte_t *run_pte_at(const struct replace_run *run, unsigned long address)
{
	return run->first_pte +
	       ((long)(address - run->first) >> PAGE_SHIFT);
}

static unsigned long run_address_of(const struct replace_run *run,
				    const struct folio *folio)
{
	return vma_anon_address(run->vma, folio->index, 1);
}

/* Return: false if @folio, the next one of the batch, does not fit the run. */
static bool run_can_take(struct replace_run *run, struct folio *folio)
{
	unsigned long address, start, end;

	if (READ_ONCE(folio->mapping) != run->moves[0].folio->mapping)
		return false;
	if (!folio_trylock(folio))
		return false;
	if (folio->mapping != run->moves[0].folio->mapping ||
	    !is_replaceable(folio))
		goto unlock;
	address = run_address_of(run, folio);
	if (address == -EFAULT ||
	    (address & PMD_MASK) != (run->first & PMD_MASK))
		goto unlock;
	start = min(run->start, address);
	end = max(run->end, address + PAGE_SIZE);
	if (end - start > SPAN_MAX * PAGE_SIZE ||
	    !pte_maps_folio(ptep_get(run_pte_at(run, address)), folio))
		goto unlock;
	run->start = start;
	run->end = end;
	return true;
unlock:
	folio_unlock(folio);
	return false;
}

static void run_add(struct replace_run *run, struct folio *folio,
		    struct folio *copy)
{
	list_del(&folio->lru);
	run->moves[run->nr++] = (struct contig_move) {
		.folio	= folio,
		.copy	= copy,
	};
}

static void collect_to_replace(struct replace_run *run,
			       struct list_head *batch,
			       struct list_head *targets)
{
	while (run->nr < RUN_MAX && !list_empty(batch)) {
		struct folio *folio = list_last_entry(batch, struct folio, lru);
		struct folio *copy;

		if (!run_can_take(run, folio))
			break;
		copy = contig_target_get(targets);
		if (!copy) {
			folio_unlock(folio);
			break;
		}
		run_add(run, folio, copy);
	}
}

/* From here on nobody reaches the pages through this table. */
static void take_ptes_out(struct replace_run *run)
{
	struct vm_area_struct *vma = run->vma;

	for (unsigned int i = 0; i < run->nr; i++) {
		struct folio *folio = run->moves[i].folio;
		unsigned long address = run_address_of(run, folio);

		flush_cache_page(vma, address, folio_pfn(folio));
		run->ptes[i] = ptep_get_and_clear(vma->vm_mm, address,
						  run_pte_at(run, address));
	}
	flush_tlb_range(vma, run->start, run->end);
}

/* Enter a page in the table. The caller has taken the entry's reference. */
static void put_pte_in(const struct replace_run *run, struct folio *folio,
		       pte_t pte, bool exclusive)
{
	unsigned long address = run_address_of(run, folio);
	pte_t *ptep = run_pte_at(run, address);

	folio_add_anon_rmap_pte(folio, &folio->page, run->vma, address,
				exclusive ? RMAP_EXCLUSIVE : RMAP_NONE);
	set_pte_at(run->vma->vm_mm, address, ptep, pte);
	update_mmu_cache(run->vma, address, ptep);
}

/* The entry of a copy, from that of its page. */
static pte_t make_pte_of_copy(struct vm_area_struct *vma,
			      struct folio *copy, pte_t old)
{
	pte_t pte = mk_pte(&copy->page, READ_ONCE(vma->vm_page_prot));

	if (!pte_young(old))
		pte = pte_mkold(pte);
	if (pte_dirty(old))
		pte = pte_mkdirty(pte);
	if (pte_soft_dirty(old))
		pte = pte_mksoft_dirty(pte);
	else
		pte = pte_clear_soft_dirty(pte);
	if (pte_write(old))
		pte = pte_mkwrite(pte, vma);
	return pte;
}

/* Return: false if somebody holds the page; then it is as it was. */
static bool copy_page_of_run(struct replace_run *run, unsigned int i)
{
	const struct contig_move *move = &run->moves[i];
	struct folio *folio = move->folio;
	bool exclusive = PageAnonExclusive(&folio->page);

	if (exclusive) {
		/* Fails if the page was pinned before its entry was gone. */
		if (folio_try_share_anon_rmap_pte(folio, &folio->page)) {
			set_pte_at(run->vma->vm_mm,
				   run_address_of(run, folio),
				   run_pte_at(run, run_address_of(run, folio)),
				   run->ptes[i]);
			return false;
		}
		__set_bit(i, run->exclusive);
	}
	folio_remove_rmap_pte(folio, &folio->page, run->vma);
	folio_put(folio);
	if (!contig_move_copy(move))
		return true;
	folio_get(folio);
	put_pte_in(run, folio, run->ptes[i], exclusive);
	return false;
}

/* Pages that were not copied go to @others, their copies to @targets. */
static void copy_run(struct zone *zone, struct replace_run *run,
		     struct list_head *others, struct list_head *targets)
{
	unsigned int nr = 0;

	bitmap_zero(run->exclusive, RUN_MAX);
	for (unsigned int i = 0; i < run->nr; i++) {
		struct contig_move move = run->moves[i];

		if (copy_page_of_run(run, i)) {
			flush_dcache_folio(move.copy);
			run->moves[nr] = move;
			run->ptes[nr] = run->ptes[i];
			__assign_bit(nr, run->exclusive,
				     test_bit(i, run->exclusive));
			nr++;
			continue;
		}
		folio_unlock(move.folio);
		list_add(&move.folio->lru, others);
		folio_unlock(move.copy);
		contig_target_keep(zone, move.copy, targets);
	}
	run->nr = nr;
}

static void map_copies(struct replace_run *run)
{
	for (unsigned int i = 0; i < run->nr; i++) {
		struct folio *copy = run->moves[i].copy;

		folio_get(copy);
		put_pte_in(run, copy,
			   make_pte_of_copy(run->vma, copy, run->ptes[i]),
			   test_bit(i, run->exclusive));
	}
}

/* The program may have dropped a copy by now, so we still have a reference. */
static void unlock_copies(const struct replace_run *run)
{
	for (unsigned int i = 0; i < run->nr; i++) {
		struct folio *copy = run->moves[i].copy;

		folio_set_owner_migrate_reason(copy, MR_CONTIG_RANGE);
		contig_folio_unlock_put(copy);
	}
}

/*
 * Replace the first page of the run, and those of @batch that lie beside it.
 * Return: false if @vma does not map the page; then nothing is done.
 */
static bool replace_run_in(struct zone *zone, struct replace_run *run,
			   struct vm_area_struct *vma, struct list_head *batch,
			   struct list_head *others, struct list_head *targets)
{
	struct folio *folio = run->moves[0].folio;
	unsigned long address = vma_anon_address(vma, folio->index, 1);
	DEFINE_FOLIO_VMA_WALK(walk, folio, vma, address, 0);

	/* The walk takes the lock of the page table. */
	if (address == -EFAULT || !is_replaceable_in(vma) ||
	    !page_vma_mapped_walk(&walk))
		return false;
	if (!pte_maps_folio(ptep_get(walk.pte), folio)) {
		page_vma_mapped_walk_done(&walk);
		return false;
	}

	run->vma = vma;
	run->first_pte = walk.pte;
	run->first = address;
	run->start = address;
	run->end = address + PAGE_SIZE;
	collect_to_replace(run, batch, targets);
	take_ptes_out(run);
	copy_run(zone, run, others, targets);
	contig_moves_add_to_lru(run->moves, run->nr);
	map_copies(run);
	page_vma_mapped_walk_done(&walk);
	return true;
}

/* Return: false if no program maps the first page of the run as it has to. */
static bool replace_run(struct zone *zone, struct replace_run *run,
			struct list_head *batch, struct list_head *others,
			struct list_head *targets)
{
	struct folio *folio = run->moves[0].folio;
	struct anon_vma *anon_vma = folio_lock_anon_vma_read(folio, NULL);
	struct anon_vma_chain *avc;
	bool found = false;

	if (!anon_vma)
		return false;
	anon_rmap_tree_foreach(avc, anon_vma, folio->index, folio->index) {
		found = replace_run_in(zone, run, avc->vma, batch, others,
				       targets);
		if (found)
			break;
	}
	anon_vma_unlock_read(anon_vma);
	return found;
}

/* Takes at least one folio off @batch. Return: how many were replaced. */
static unsigned int replace_next_run(struct zone *zone, struct list_head *batch,
				     struct list_head *others,
				     struct list_head *targets)
{
	struct folio *folio = list_last_entry(batch, struct folio, lru);
	struct replace_run run = { };
	struct folio *copy;

	if (!is_replaceable(folio) || !folio_trylock(folio)) {
		list_move(&folio->lru, others);
		return 0;
	}
	copy = is_replaceable(folio) ? contig_target_get(targets) : NULL;
	if (!copy) {
		folio_unlock(folio);
		list_move(&folio->lru, others);
		return 0;
	}
	run_add(&run, folio, copy);
	if (!replace_run(zone, &run, batch, others, targets)) {
		folio_unlock(folio);
		list_add(&folio->lru, others);
		folio_unlock(copy);
		list_add(&copy->lru, targets);
		return 0;
	}

	unlock_copies(&run);
	contig_moves_free(zone, run.moves, run.nr);
	return run.nr;
}

/**
 * contig_replace() - move pages that one program maps
 * @zone:	the zone of all the pages
 * @batch:	folios that were isolated from their LRU lists, the last one by
 *		address first; those that do not move stay, in this order
 * @targets:	pages of the same zone to move them to; unused ones stay there
 *
 * Context: May sleep, but waits for no I/O and no page.
 * Return: number of pages that were moved.
 */
unsigned int contig_replace(struct zone *zone, struct list_head *batch,
			    struct list_head *targets)
{
	unsigned int nr_moved = 0;
	LIST_HEAD(others);

	while (!list_empty(batch) && !list_empty(targets)) {
		nr_moved += replace_next_run(zone, batch, &others, targets);
		cond_resched();
	}
	list_splice_tail(&others, batch);
	return nr_moved;
}
