/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page table lookups of the DMA test driver.
 */
#ifndef __CMA_DMA_TEST_TABLES_H
#define __CMA_DMA_TEST_TABLES_H

#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pgtable.h>
#include <linux/sched.h>

#include "dma_test.h"

#ifdef CONFIG_ARM
/*
 * dma_test_lookup() - look up an address in the page table of the current task
 * @addr:	address of the kernel or of the program
 * @pfn:	page frame that is mapped there
 * @type:	memory type, as in L_PTE_MT_MASK
 *
 * The CPU walks the task's copy of the kernel's entries, and init_mm is not
 * exported to modules. The caller holds mmap_lock for a user address.
 *
 * Return: false when nothing is mapped there.
 */
static inline bool dma_test_lookup(unsigned long addr, unsigned long *pfn,
				   pteval_t *type)
{
	pgd_t *pgd = pgd_offset(current->mm, addr);
	pte_t *table, pte;
	pmd_t *pmd;

	if (pgd_none(*pgd))
		return false;
	pmd = pmd_offset(pud_offset(p4d_offset(pgd, addr), addr), addr);
	if (!IS_ENABLED(CONFIG_ARM_LPAE) && (addr & SECTION_SIZE))
		pmd++;
	if (pmd_none(*pmd))
		return false;
	if (pmd_leaf(*pmd)) {
		/* Both formats keep the type's low bits in the same place. */
		*type = pmd_val(*pmd) & PMD_SECT_CACHE_MASK & L_PTE_MT_MASK;
		*pfn = PHYS_PFN((pmd_val(*pmd) & SECTION_MASK & PHYS_MASK) |
				(addr & ~SECTION_MASK));
		return true;
	}

	/* A user page table may lie in high memory. */
	table = kmap_local_page(pmd_page(*pmd));
	pte = table[pte_index(addr)];
	kunmap_local(table);
	if (!pte_present(pte))
		return false;
	*type = pte_val(pte) & L_PTE_MT_MASK;
	*pfn = pte_pfn(pte);
	return true;
}

/* Compares the caller's mapping of a page with the kernel's at @addr. */
static inline int dma_test_compare(unsigned long addr,
				   struct dma_test_mapping *arg)
{
	unsigned long kernel_pfn, user_pfn;
	pteval_t kernel_type, user_type;
	bool mapped;

	/* A fault copies the entry of a vmalloc address into this table. */
	READ_ONCE(*(u8 *)addr);
	mmap_read_lock(current->mm);
	mapped = dma_test_lookup(arg->addr, &user_pfn, &user_type) &&
		 dma_test_lookup(addr, &kernel_pfn, &kernel_type);
	mmap_read_unlock(current->mm);
	if (!mapped || arg->addr >= TASK_SIZE)
		return -EFAULT;
	arg->user_type = user_type;
	arg->kernel_type = kernel_type;
	arg->same_page = kernel_pfn == user_pfn;
	return 0;
}
#else
static inline int dma_test_compare(unsigned long addr,
				   struct dma_test_mapping *arg)
{
	return -EOPNOTSUPP;
}
#endif

#endif /* __CMA_DMA_TEST_TABLES_H */
