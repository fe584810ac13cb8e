// SPDX-License-Identifier: GPL-2.0
/*
 * Who uses the page that is in the way, in words for a report.
 *
 * A report comes after the request has failed, so the page may be another one's
 * by now. All that is read here is held by a reference, a lock or RCU, or is a
 * plain field. Nothing waits.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/page_owner.h>
#include <linux/pid.h>
#include <linux/rmap.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_buf.h>
#include <trace/misc/contig.h>

#include "kernel.h"
#include "contig.h"
#include "describe.h"
#include "folio.h"

/* Other events have macros of this name. */
#undef EM
#undef EMe
#define EM(reason, name)	[reason] = name,
#define EMe(reason, name)	[reason] = name

static const char * const reason_names[] = { CONTIG_BLOCK_REASONS };

static_assert(ARRAY_SIZE(reason_names) == CONTIG_BLOCK_NR);

/**
 * contig_block_reason_name() - words for a reason
 * @reason:	the reason
 *
 * Context: Any.
 * Return: words that follow "the page is".
 */
const char *contig_block_reason_name(enum contig_block_reason reason)
{
	return reason_names[reason];
}

/* The first program that has the page in its page tables. */
static bool describe_mapper(struct folio *folio, struct vm_area_struct *vma,
			    unsigned long address, void *arg)
{
	DEFINE_FOLIO_VMA_WALK(walk, folio, vma, address, 0);
	struct seq_buf *text = arg;
	struct task_struct *task;

	/* After a fork, an area of a program may have lost the page. */
	if (!page_vma_mapped_walk(&walk))
		return true;
	page_vma_mapped_walk_done(&walk);

	rcu_read_lock();
	for_each_process(task)
		if (READ_ONCE(task->mm) == vma->vm_mm) {
			seq_buf_printf(text, " mapped by %s (pid %d),",
				       task->comm, task->pid);
			break;
		}
	rcu_read_unlock();
	return false;
}

/* The caller has locked the folio. */
static void describe_mappers(struct folio *folio, struct seq_buf *text)
{
	struct rmap_walk_control control = {
		.rmap_one	= describe_mapper,
		.arg		= text,
		.anon_lock	= folio_lock_anon_vma_read,
		.try_lock	= true,
	};

	if (folio_mapped(folio))
		rmap_walk(folio, &control);
}

/*
 * RCU frees inodes, superblocks and names. A folio that is in a file now keeps
 * the inode until the end of the read-side section at least.
 */
static void describe_file(const struct folio *folio, struct seq_buf *text)
{
	const struct address_space *mapping;
	const struct dentry *name;
	struct inode *inode = NULL;

	rcu_read_lock();
	mapping = READ_ONCE(folio->mapping);
	if (mapping && !((unsigned long)mapping & FOLIO_MAPPING_FLAGS))
		inode = READ_ONCE(mapping->host);
	if (!inode)
		goto out;
	if (S_ISBLK(inode->i_mode)) {
		seq_buf_printf(text, " block device %u:%u, page %lu,",
			       imajor(inode), iminor(inode), folio->index);
		goto out;
	}
	name = d_find_alias_rcu(inode);
	if (name)
		seq_buf_printf(text, " file %pd", name);
	else
		seq_buf_puts(text, " file");
	seq_buf_printf(text, " of %s on %s, inode %lu, page %lu,",
		       inode->i_sb->s_type->name, inode->i_sb->s_id,
		       (unsigned long)inode->i_ino, folio->index);
out:
	rcu_read_unlock();
}

static const char *describe_kind(const struct folio *folio)
{
	const unsigned long mapping = (unsigned long)READ_ONCE(folio->mapping);

	if (folio_test_hugetlb(folio))
		return "huge page,";
	if (page_has_movable_ops(&folio->page))
		return "compressed memory or the like,";
	if (mapping & FOLIO_MAPPING_ANON)
		return folio_test_large(folio) ? "memory of a program (large),"
					       : "memory of a program,";
	return mapping ? "" : "not a page of a program or file,";
}

/* The caller holds a reference. */
static void describe_folio(struct folio *folio, struct seq_buf *text)
{
	seq_buf_puts(text, describe_kind(folio));
	if (!folio_test_anon(folio))
		describe_file(folio, text);
	if (folio_trylock(folio)) {
		describe_mappers(folio, text);
		folio_unlock(folio);
	}
	if (folio_test_unevictable(folio))
		seq_buf_puts(text, " locked in memory,");
}

static void describe_peer(pid_t pid, struct seq_buf *text)
{
	const struct task_struct *task;

	rcu_read_lock();
	task = find_task_by_pid_ns(pid, &init_pid_ns);
	seq_buf_printf(text, "request of %s (pid %d)",
		       task ? task->comm : "a task that has ended", pid);
	rcu_read_unlock();
}

/**
 * contig_blocker_describe() - say in words who uses the page in the way
 * @blocker:	the page
 * @text:	appended to
 *
 * Context: Process; waits for nothing. Takes an inode's i_lock, and tries the
 * lock of the folio and those of its mappings.
 */
void contig_blocker_describe(const struct contig_blocker *blocker,
			     struct seq_buf *text)
{
	struct page *page = pfn_to_page(blocker->pfn);
	struct folio *folio = page_folio(page);

	if (blocker->reason == CONTIG_BLOCK_PEER) {
		describe_peer(blocker->pid, text);
		return;
	}
	if (!folio_try_get(folio)) {
		seq_buf_puts(text, "free by now, ");
	} else {
		if (page_folio(page) == folio)
			describe_folio(folio, text);
		folio_put(folio);
		seq_buf_puts(text, " ");
	}
	seq_buf_printf(text, "%d references, mapped %d times", blocker->refs,
		       blocker->maps);
}

/**
 * contig_blocker_dump_owner() - log the stack that allocated the page in the way
 * @blocker:	the page
 *
 * Logs nothing unless page owners are recorded.
 *
 * Context: Process.
 */
void contig_blocker_dump_owner(const struct contig_blocker *blocker)
{
	if (blocker->reason != CONTIG_BLOCK_PEER)
		dump_page_owner(pfn_to_page(blocker->pfn));
}
