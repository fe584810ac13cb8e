// SPDX-License-Identifier: GPL-2.0
/*
 * Evicted page cache goes to the open stores, and comes back from them.
 *
 * The page cache calls these hooks with the folio locked. Only regular files of
 * some file systems on a local block device are served. Each of them has been
 * read for code that takes the absence of a folio for the absence of contents:
 * btrfs, for example, truncates a range, locks it and looks for folios once
 * more before it punches a hole. A network file system learns from its server
 * that a page is stale, and does not look for shadow entries. An encrypted file
 * must not stay in memory without its key.
 *
 * The list of stores is read under RCU, and changed under stores_lock.
 */
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/jump_label.h>
#include <linux/magic.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>

#include "evicted.h"
#include "store.h"

struct static_key_false contig_stores_open = STATIC_KEY_FALSE_INIT;
EXPORT_SYMBOL_GPL(contig_stores_open);

static LIST_HEAD(stores);
static DEFINE_MUTEX(stores_lock);

/**
 * contig_stores_enable() - switch the hooks on; each call counts
 *
 * Context: May sleep; takes the lock of CPU hotplug, under which drivers may
 * allocate buffers.
 */
void contig_stores_enable(void)
{
	static_branch_inc(&contig_stores_open);
}

/**
 * contig_stores_disable() - undo contig_stores_enable()
 *
 * Context: As contig_stores_enable().
 */
void contig_stores_disable(void)
{
	static_branch_dec(&contig_stores_open);
}

/**
 * contig_store_open() - let the page cache use a store
 * @store:	the store
 *
 * Context: May sleep; the caller has called contig_stores_enable().
 */
void contig_store_open(struct contig_store *store)
{
	mutex_lock(&stores_lock);
	list_add_tail_rcu(&store->list, &stores);
	mutex_unlock(&stores_lock);
}

/**
 * contig_store_close() - no longer let the page cache use a store
 * @store:	the store
 *
 * Its copies are lost.
 *
 * Context: May sleep.
 */
void contig_store_close(struct contig_store *store)
{
	mutex_lock(&stores_lock);
	list_del_rcu(&store->list);
	mutex_unlock(&stores_lock);
	synchronize_rcu();
}

static bool filesystem_is_served(const struct super_block *sb)
{
	if (!sb->s_bdev)
		return false;
	switch (sb->s_magic) {
	case EROFS_SUPER_MAGIC_V1:
	case EXT4_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case MSDOS_SUPER_MAGIC:
	case SQUASHFS_MAGIC:
	case XFS_SUPER_MAGIC:
		return true;
	}
	return false;
}

static bool file_is_served(const struct address_space *mapping)
{
	const struct inode *inode = mapping->host;

	return S_ISREG(inode->i_mode) && !IS_DAX(inode) &&
	       !IS_ENCRYPTED(inode) && !IS_SWAPFILE(inode) &&
	       filesystem_is_served(inode->i_sb);
}

/* Other entries than folios are shadow entries, which a walk clears. */
bool __contig_has_shadows(const struct address_space *mapping)
{
	return file_is_served(mapping);
}

/* Reclaim checks again, with the references frozen. */
static bool folio_is_clean_and_alone(struct folio *folio)
{
	return folio_test_uptodate(folio) && !folio_test_dirty(folio) &&
	       !folio_test_writeback(folio) && !folio_test_hwpoison(folio) &&
	       !folio_has_private(folio) && !folio_mapped(folio) &&
	       folio_ref_count(folio) == 1 + folio_nr_pages(folio);
}

static bool store_has_room(const struct contig_store *store)
{
	return READ_ONCE(store->nr_empty) &&
	       READ_ONCE(store->stats.nr_full) < READ_ONCE(store->max_pages);
}

/*
 * Stores fill up one after the other. Then each replaces as many of its copies
 * as fits its size. The caller is in an RCU read-side section.
 */
static struct contig_store *choose_store(void)
{
	struct contig_store *store, *best = NULL;

	list_for_each_entry_rcu(store, &stores, list) {
		if (store_has_room(store))
			return store;
		if (!READ_ONCE(store->stats.nr_full))
			continue;
		if (!best || (u64)store->stats.nr_replaced * best->nr_pages <
			     (u64)best->stats.nr_replaced * store->nr_pages)
			best = store;
	}
	return best;
}

static void evict_page_to_store(struct address_space *mapping, pgoff_t index,
				struct page *page, bool comes_back)
{
	struct contig_store *store, *chosen;

	rcu_read_lock();
	chosen = choose_store();
	list_for_each_entry_rcu(store, &stores, list) {
		if (store == chosen)
			contig_store_put(store, mapping, index, page,
					 comes_back);
		else
			contig_store_forget(store, mapping, index);
	}
	rcu_read_unlock();
}

void __contig_evict_to_store(struct folio *folio)
{
	struct address_space *mapping = folio->mapping;

	/* Shadow entries of swap are found by its own rules. */
	if (folio_test_anon(folio) || folio_test_swapbacked(folio))
		return;
	if (mapping_exiting(mapping) || !file_is_served(mapping) ||
	    !folio_is_clean_and_alone(folio)) {
		contig_forget_folio(mapping, folio);
		return;
	}
	/* Programs may have written through another mapping. */
	flush_dcache_folio(folio);
	for (unsigned long i = 0; i < folio_nr_pages(folio); i++)
		evict_page_to_store(mapping, folio->index + i,
				    folio_page(folio, i),
				    folio_test_workingset(folio));
}

void __contig_forget_stored(const struct address_space *mapping, pgoff_t index,
			    unsigned long nr_pages)
{
	struct contig_store *store;

	rcu_read_lock();
	list_for_each_entry_rcu(store, &stores, list)
		for (unsigned long i = 0; i < nr_pages; i++)
			contig_store_forget(store, mapping, index + i);
	rcu_read_unlock();
}

bool __contig_has_stored(const struct address_space *mapping, pgoff_t index)
{
	struct contig_store *store;
	bool found = false;

	rcu_read_lock();
	list_for_each_entry_rcu(store, &stores, list)
		found = found || contig_store_knows(store, mapping, index);
	rcu_read_unlock();
	return found;
}

/* Read-ahead makes no large folio where a page has a copy. */
bool __contig_fill_from_store(struct folio *folio)
{
	struct contig_store *store;
	bool filled = false;

	if (folio_test_large(folio))
		return false;
	rcu_read_lock();
	list_for_each_entry_rcu(store, &stores, list)
		filled = filled ||
			 contig_store_get(store, folio->mapping, folio->index,
					  folio_page(folio, 0));
	rcu_read_unlock();
	if (filled) {
		flush_dcache_folio(folio);
		folio_mark_uptodate(folio);
	}
	return filled;
}
