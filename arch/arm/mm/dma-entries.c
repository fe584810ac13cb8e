// SPDX-License-Identifier: GPL-2.0
/*
 * Page table entries of DMA buffers.
 *
 * Large pages of 64 KiB map a buffer where it has all of one, and need a
 * sixteenth of the TLB entries. A TLB must not see two page sizes or two memory
 * types at one address. So the old entries are removed, then TLBs are flushed,
 * then the new entries are set. All of these pages belong to the buffer, so
 * nobody accesses them in between.
 *
 * No locks: the pages and the addresses belong to the caller. Addresses are
 * bytes.
 */
#include <linux/cacheflush.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <asm/cp15.h>
#include <asm/system_info.h>
#include <asm/tlbflush.h>

#include "dma-contiguous.h"
#include "mm.h"

/*
 * Most entries to flush one by one: each flush is broadcast to all CPUs. The
 * main TLB of Cortex-A9 has 128 entries, that of Cortex-A15 has 512.
 */
#define TLB_ENTRIES_MAX	128

static void arm_dma_flush_tlb(unsigned long addr, unsigned long end)
{
	if (end - addr > TLB_ENTRIES_MAX * PAGE_SIZE)
		flush_tlb_all();
	else
		flush_tlb_kernel_range(addr, end);
}

#ifdef CONFIG_ARM_LPAE

/* Contiguous hint: 16 adjacent entries share one entry of the TLB. */
#define PTE_CONTIGUOUS	(_AT(pteval_t, 1) << 52)

static bool arm_dma_has_large_pages(void)
{
	return true;
}

/* set_pte_ext() stores the 64 bits of an entry at once. */
static void arm_dma_set_small(pte_t *pte, unsigned long pfn,
			      unsigned long nr_pages, pgprot_t prot)
{
	while (nr_pages--)
		set_pte_ext(pte++, pfn_pte(pfn++, prot), 0);
}

static void arm_dma_set_none(pte_t *pte, unsigned long nr_pages)
{
	while (nr_pages--)
		set_pte_ext(pte++, __pte(0), 0);
}

static void arm_dma_set_large(pte_t *pte, unsigned long pfn,
			      unsigned long nr_pages, pgprot_t prot)
{
	arm_dma_set_small(pte, pfn, nr_pages,
			  __pgprot(pgprot_val(prot) | PTE_CONTIGUOUS));
}

#else

/*
 * Each entry exists twice: for Linux and for the hardware. set_pte_ext()
 * converts one into the other in some 30 instructions, which is most of the
 * cost of a page. Entries of adjacent pages differ only in their address, so
 * the first one is converted and the others are counted up.
 */
static u32 *arm_dma_hard_entries(pte_t *pte)
{
	return (u32 *)pte + PTE_HWTABLE_PTRS;
}

/* Before ARMv6, an entry has access rights for each quarter of a page. */
static bool arm_dma_has_large_pages(void)
{
	return cpu_architecture() >= CPU_ARCH_ARMv6 && get_cr() & CR_XP;
}

static void arm_dma_set_small(pte_t *pte, unsigned long pfn,
			      unsigned long nr_pages, pgprot_t prot)
{
	u32 *soft = (u32 *)pte, *hard = arm_dma_hard_entries(pte);
	u32 soft_entry, hard_entry;

	if (!nr_pages)
		return;
	set_pte_ext(pte, pfn_pte(pfn, prot), 0);
	soft_entry = *soft;
	hard_entry = *hard;
	/* Rolled up, the loop itself would be a third of the cost. */
#pragma GCC unroll 4
	for (unsigned long i = 1; i < nr_pages; i++) {
		soft_entry += PAGE_SIZE;
		hard_entry += PAGE_SIZE;
		WRITE_ONCE(soft[i], soft_entry);
		WRITE_ONCE(hard[i], hard_entry);
	}
	/* Some processors walk tables in memory and not in the caches. */
	clean_dcache_area(hard, nr_pages * sizeof(*hard));
}

static void arm_dma_set_none(pte_t *pte, unsigned long nr_pages)
{
	u32 *hard = arm_dma_hard_entries(pte);

	memset(hard, 0, nr_pages * sizeof(*hard));
	clean_dcache_area(hard, nr_pages * sizeof(*hard));
}

/* Converts an entry in a table that the hardware does not walk. */
static u32 arm_dma_hard_entry_of(pte_t pte)
{
	static DEFINE_SPINLOCK(lock);
	static pte_t table[PTE_HWTABLE_PTRS + 1];
	unsigned long flags;
	u32 entry;

	spin_lock_irqsave(&lock, flags);
	set_pte_ext(table, pte, 0);
	entry = *arm_dma_hard_entries(table);
	spin_unlock_irqrestore(&lock, flags);
	return entry;
}

/*
 * ARM DDI 0406C, B3.5.1: the entry of a large page has TEX and "execute never"
 * in other bits, and is repeated 16 times.
 */
static u32 arm_dma_large_entry(u32 small)
{
	u32 same = small & (PTE_EXT_NG | PTE_EXT_SHARED | PTE_EXT_APX |
			    PTE_EXT_AP_MASK | PTE_CACHEABLE | PTE_BUFFERABLE);
	u32 tex = (small & PTE_EXT_TEX(7)) << 6;
	u32 xn = (small & PTE_EXT_XN) << 15;

	return ALIGN_DOWN(small, SZ_64K) | same | tex | xn | PTE_TYPE_LARGE;
}

static void arm_dma_set_large(pte_t *pte, unsigned long pfn,
			      unsigned long nr_pages, pgprot_t prot)
{
	pte_t first = pfn_pte(pfn, prot);
	u32 *soft = (u32 *)pte, *hard = arm_dma_hard_entries(pte);
	u32 soft_entry = pte_val(first);
	u32 hard_entry = arm_dma_large_entry(arm_dma_hard_entry_of(first));

	for (unsigned long i = 0; i < nr_pages; hard_entry += SZ_64K) {
#pragma GCC unroll 16
		for (int n = 0; n < SZ_64K / SZ_4K; n++, i++) {
			WRITE_ONCE(soft[i], soft_entry);
			WRITE_ONCE(hard[i], hard_entry);
			soft_entry += PAGE_SIZE;
		}
	}
	clean_dcache_area(hard, nr_pages * sizeof(*hard));
}

#endif /* CONFIG_ARM_LPAE */

/**
 * struct arm_dma_part - the part of a buffer that one table maps
 * @pte:	entry of @start
 * @pfn:	page at @start
 * @start:	first address
 * @large_start: first address of large pages
 * @large_end:	address behind the large pages
 * @end:	address behind the part
 */
struct arm_dma_part {
	pte_t *pte;
	unsigned long pfn;
	unsigned long start;
	unsigned long large_start;
	unsigned long large_end;
	unsigned long end;
};

static unsigned long arm_dma_nr_pages(unsigned long start, unsigned long end)
{
	return (end - start) >> PAGE_SHIFT;
}

/* Both addresses of a large page, virtual and physical, are aligned to it. */
static bool arm_dma_fits_large(unsigned long start, unsigned long end,
			       unsigned long pfn)
{
	return arm_dma_has_large_pages() &&
	       IS_ALIGNED(start - (pfn << PAGE_SHIFT), SZ_64K) &&
	       ALIGN(start, SZ_64K) < ALIGN_DOWN(end, SZ_64K);
}

static bool arm_dma_has_tables(unsigned long start, unsigned long end)
{
	for (; start < end; start = ALIGN(start + 1, PMD_SIZE))
		if (WARN_ON_ONCE(!arm_dma_has_table(start)))
			return false;
	return true;
}

static void arm_dma_get_part(unsigned long start, unsigned long end,
			     unsigned long pfn, struct arm_dma_part *part)
{
	part->pte = pte_offset_kernel(pmd_off_k(start), start);
	part->pfn = pfn;
	part->start = start;
	part->end = min(end, ALIGN(start + 1, PMD_SIZE));
	part->large_start = min(ALIGN(start, SZ_64K), part->end);
	part->large_end = max(ALIGN_DOWN(part->end, SZ_64K), part->large_start);
}

static pte_t *arm_dma_part_pte(const struct arm_dma_part *part,
			       unsigned long addr)
{
	return part->pte + arm_dma_nr_pages(part->start, addr);
}

static unsigned long arm_dma_part_pfn(const struct arm_dma_part *part,
				      unsigned long addr)
{
	return part->pfn + arm_dma_nr_pages(part->start, addr);
}

static void arm_dma_set_range(const struct arm_dma_part *part,
			      unsigned long start, unsigned long end,
			      pgprot_t prot)
{
	arm_dma_set_small(arm_dma_part_pte(part, start),
			  arm_dma_part_pfn(part, start),
			  arm_dma_nr_pages(start, end), prot);
}

/* Small pages before and behind the large ones. */
static void arm_dma_set_part(const struct arm_dma_part *part, pgprot_t prot)
{
	unsigned long nr_pages = arm_dma_nr_pages(part->large_start,
						  part->large_end);

	arm_dma_set_range(part, part->start, part->large_start, prot);
	if (nr_pages)
		arm_dma_set_large(arm_dma_part_pte(part, part->large_start),
				  arm_dma_part_pfn(part, part->large_start),
				  nr_pages, prot);
	arm_dma_set_range(part, part->large_end, part->end, prot);
}

/* Removes nothing and returns -EINVAL if a section maps any of it. */
static int arm_dma_unset_entries(unsigned long start, unsigned long end)
{
	struct arm_dma_part part;

	if (!arm_dma_has_tables(start, end))
		return -EINVAL;
	for (unsigned long addr = start; addr < end; addr = part.end) {
		arm_dma_get_part(addr, end, 0, &part);
		arm_dma_set_none(part.pte, arm_dma_nr_pages(addr, part.end));
	}
	arm_dma_flush_tlb(start, end);
	return 0;
}

/**
 * arm_dma_set_entries() - change how a buffer is mapped
 * @start:	first address
 * @end:	address behind
 * @pfn:	first page of the buffer
 * @prot:	how to map it
 * @large:	use large pages where they fit; otherwise replace them by small
 *		ones
 *
 * Context: Any with interrupts enabled: other CPUs take part in the TLB flush.
 * Return: 0; -EINVAL if a section maps any of it.
 */
int arm_dma_set_entries(unsigned long start, unsigned long end,
			unsigned long pfn, pgprot_t prot, bool large)
{
	int error = arm_dma_unset_entries(start, end);
	struct arm_dma_part part;

	if (error)
		return error;
	large = large && arm_dma_fits_large(start, end, pfn);
	for (unsigned long addr = start; addr < end; addr = part.end) {
		arm_dma_get_part(addr, end, pfn, &part);
		if (large)
			arm_dma_set_part(&part, prot);
		else
			arm_dma_set_range(&part, addr, part.end, prot);
		pfn += arm_dma_nr_pages(addr, part.end);
	}
	/* Make the entries visible before the first access. */
	dsb(ishst);
	isb();
	return 0;
}

/**
 * arm_dma_clear_entries() - remove the mapping of a buffer from all CPUs
 * @start:	first address, which is mapped with pages
 * @end:	address behind
 *
 * With two levels of tables, Linux's own copy of the entries stays for
 * vunmap().
 *
 * Context: Any with interrupts enabled: other CPUs take part in the TLB flush.
 */
void arm_dma_clear_entries(unsigned long start, unsigned long end)
{
	arm_dma_unset_entries(start, end);
}
