// SPDX-License-Identifier: GPL-2.0
/*
 * Page table entries of DMA buffers.
 *
 * A buffer is mapped with large pages of 64 KiB where it has all of one: the CPU
 * then needs a sixteenth of the TLB entries for it. Two sizes of page, or two
 * memory types, at one address at a time confuse a TLB, so a buffer is unmapped
 * first, then TLBs are flushed, which they have to be anyway, then it is mapped
 * again. Nobody else's page is ever among them, so nobody misses it.
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
 * Entries that are worth being flushed one by one, each of which all CPUs take
 * part in. The main TLB of Cortex-A9 holds 128, that of Cortex-A15 512.
 */
#define TLB_ENTRIES_MAX	128

static void flush_mapping(unsigned long addr, unsigned long end)
{
	if (end - addr > TLB_ENTRIES_MAX * PAGE_SIZE)
		flush_tlb_all();
	else
		flush_tlb_kernel_range(addr, end);
}

#ifdef CONFIG_ARM_LPAE

/* 16 entries that follow each other and need one entry of the TLB. */
#define PTE_CONTIGUOUS	(_AT(pteval_t, 1) << 52)

static bool has_large_pages(void)
{
	return true;
}

/* One by one: half an entry must not be seen. */
static void set_small(pte_t *pte, unsigned long pfn, unsigned long nr_pages,
		      pgprot_t prot)
{
	while (nr_pages--)
		set_pte_ext(pte++, pfn_pte(pfn++, prot), 0);
}

static void set_none(pte_t *pte, unsigned long nr_pages)
{
	while (nr_pages--)
		set_pte_ext(pte++, __pte(0), 0);
}

static void set_large(pte_t *pte, unsigned long pfn, unsigned long nr_pages,
		      pgprot_t prot)
{
	set_small(pte, pfn, nr_pages,
		  __pgprot(pgprot_val(prot) | PTE_CONTIGUOUS));
}

#else

/*
 * Each entry is there twice, once as Linux wants it and once as the hardware
 * does. What makes the one of the other is the processor's own function, which
 * takes some 30 instructions, many times what a page of a large buffer costs
 * otherwise. Entries of pages that follow each other differ in their address
 * only, so it is asked once.
 */
static u32 *hard_entries(pte_t *pte)
{
	return (u32 *)pte + PTE_HWTABLE_PTRS;
}

/* Older formats have access rights for each quarter of a page. */
static bool has_large_pages(void)
{
	return cpu_architecture() >= CPU_ARCH_ARMv6 && get_cr() & CR_XP;
}

static void set_small(pte_t *pte, unsigned long pfn, unsigned long nr_pages,
		      pgprot_t prot)
{
	u32 *soft = (u32 *)pte, *hard = hard_entries(pte);
	u32 soft_entry, hard_entry;

	if (!nr_pages)
		return;
	set_pte_ext(pte, pfn_pte(pfn, prot), 0);
	soft_entry = *soft;
	hard_entry = *hard;
	/* The loop itself would be a third of it. */
#pragma GCC unroll 4
	for (unsigned long i = 1; i < nr_pages; i++) {
		soft_entry += PAGE_SIZE;
		hard_entry += PAGE_SIZE;
		WRITE_ONCE(soft[i], soft_entry);
		WRITE_ONCE(hard[i], hard_entry);
	}
	/* For processors whose table walks do not look into the caches. */
	clean_dcache_area(hard, nr_pages * sizeof(*hard));
}

static void set_none(pte_t *pte, unsigned long nr_pages)
{
	u32 *hard = hard_entries(pte);

	memset(hard, 0, nr_pages * sizeof(*hard));
	clean_dcache_area(hard, nr_pages * sizeof(*hard));
}

/*
 * What the hardware's entry for a page is, without any table that the hardware
 * walks having it.
 */
static u32 hard_entry_of(pte_t pte)
{
	static DEFINE_SPINLOCK(lock);
	static pte_t table[PTE_HWTABLE_PTRS + 1];
	unsigned long flags;
	u32 entry;

	spin_lock_irqsave(&lock, flags);
	set_pte_ext(table, pte, 0);
	entry = *hard_entries(table);
	spin_unlock_irqrestore(&lock, flags);
	return entry;
}

/*
 * ARM DDI 0406C, B3.5.1: a large page has its type and "execute never" in other
 * places, and is the same in 16 entries.
 */
static u32 large_page(u32 small)
{
	u32 same = small & (PTE_EXT_NG | PTE_EXT_SHARED | PTE_EXT_APX |
			    PTE_EXT_AP_MASK | PTE_CACHEABLE | PTE_BUFFERABLE);
	u32 tex = (small & PTE_EXT_TEX(7)) << 6;
	u32 xn = (small & PTE_EXT_XN) << 15;

	return ALIGN_DOWN(small, SZ_64K) | same | tex | xn | PTE_TYPE_LARGE;
}

static void set_large(pte_t *pte, unsigned long pfn, unsigned long nr_pages,
		      pgprot_t prot)
{
	pte_t first = pfn_pte(pfn, prot);
	u32 *soft = (u32 *)pte, *hard = hard_entries(pte);
	u32 soft_entry = pte_val(first);
	u32 hard_entry = large_page(hard_entry_of(first));

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

/* A part of a buffer within one table, and the large pages in it. */
struct part {
	pte_t *pte;
	unsigned long pfn;
	unsigned long start;
	unsigned long large_start;
	unsigned long large_end;
	unsigned long end;
};

static unsigned long nr_pages_of(unsigned long start, unsigned long end)
{
	return (end - start) >> PAGE_SHIFT;
}

/* A large page starts on a multiple of its size in both address spaces. */
static bool has_large(unsigned long start, unsigned long end,
		      unsigned long pfn)
{
	return has_large_pages() &&
	       IS_ALIGNED(start - (pfn << PAGE_SHIFT), SZ_64K) &&
	       ALIGN(start, SZ_64K) < ALIGN_DOWN(end, SZ_64K);
}

static bool has_tables(unsigned long start, unsigned long end)
{
	for (; start < end; start = ALIGN(start + 1, PMD_SIZE))
		if (WARN_ON_ONCE(!arm_dma_has_table(start)))
			return false;
	return true;
}

static void get_part(unsigned long start, unsigned long end, unsigned long pfn,
		     struct part *part)
{
	part->pte = pte_offset_kernel(pmd_off_k(start), start);
	part->pfn = pfn;
	part->start = start;
	part->end = min(end, ALIGN(start + 1, PMD_SIZE));
	part->large_start = min(ALIGN(start, SZ_64K), part->end);
	part->large_end = max(ALIGN_DOWN(part->end, SZ_64K), part->large_start);
}

static pte_t *entry_of(const struct part *part, unsigned long addr)
{
	return part->pte + nr_pages_of(part->start, addr);
}

static unsigned long pfn_of(const struct part *part, unsigned long addr)
{
	return part->pfn + nr_pages_of(part->start, addr);
}

static void set_range(const struct part *part, unsigned long start,
		      unsigned long end, pgprot_t prot)
{
	set_small(entry_of(part, start), pfn_of(part, start),
		  nr_pages_of(start, end), prot);
}

/* Large pages, and what is around them. */
static void set_part(const struct part *part, pgprot_t prot)
{
	unsigned long nr_pages = nr_pages_of(part->large_start,
					     part->large_end);

	set_range(part, part->start, part->large_start, prot);
	if (nr_pages)
		set_large(entry_of(part, part->large_start),
			  pfn_of(part, part->large_start), nr_pages, prot);
	set_range(part, part->large_end, part->end, prot);
}

/* All of it, or nothing and -EINVAL if not all is mapped with pages. */
static int set_all_none(unsigned long start, unsigned long end)
{
	struct part part;

	if (!has_tables(start, end))
		return -EINVAL;
	for (unsigned long addr = start; addr < end; addr = part.end) {
		get_part(addr, end, 0, &part);
		set_none(part.pte, nr_pages_of(addr, part.end));
	}
	flush_mapping(start, end);
	return 0;
}

/**
 * arm_dma_set_entries() - change how a buffer is mapped
 * @start:	address, where it is mapped with pages
 * @end:	address behind
 * @pfn:	its first page
 * @prot:	how to map it
 * @large:	it is to have large pages; if not, it may have some until now
 *
 * Context: Any with interrupts enabled: other CPUs take part.
 * Return: 0; -EINVAL if it is not mapped with pages.
 */
int arm_dma_set_entries(unsigned long start, unsigned long end,
			unsigned long pfn, pgprot_t prot, bool large)
{
	int error = set_all_none(start, end);
	struct part part;

	if (error)
		return error;
	large = large && has_large(start, end, pfn);
	for (unsigned long addr = start; addr < end; addr = part.end) {
		get_part(addr, end, pfn, &part);
		if (large)
			set_part(&part, prot);
		else
			set_range(&part, addr, part.end, prot);
		pfn += nr_pages_of(addr, part.end);
	}
	/* Before anybody reads or writes there. */
	dsb(ishst);
	isb();
	return 0;
}

/**
 * arm_dma_clear_entries() - have no CPU reach a buffer at an address any more
 * @start:	address, where it is mapped with pages
 * @end:	address behind
 *
 * What Linux knows of the mapping stays.
 *
 * Context: Any with interrupts enabled: other CPUs take part.
 */
void arm_dma_clear_entries(unsigned long start, unsigned long end)
{
	set_all_none(start, end);
}
