/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies of evicted page cache in guaranteed areas, for code outside of mm/.
 * See Documentation/mm/cma-guaranteed.rst.
 */
#ifndef __CMA_STORED_H__
#define __CMA_STORED_H__

#include <linux/fs.h>
#include <linux/jump_label.h>
#include <linux/pagemap.h>

#ifdef CONFIG_CMA_GUARANTEED

DECLARE_STATIC_KEY_FALSE(contig_stores_open);

/*
 * A shadow entry may stand for contents. A file without folios that was written
 * to directly must be invalidated all the same.
 */
static inline bool cma_may_have_stored(struct address_space *mapping)
{
	return static_branch_unlikely(&contig_stores_open) &&
	       !mapping_empty(mapping);
}

#else

/* A function would change the code of its callers, even if it is empty. */
#define cma_may_have_stored(...)	false

#endif

#endif /* __CMA_STORED_H__ */
