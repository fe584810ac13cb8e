/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What pages hold and who uses them, for people to read.
 */
#ifndef _MM_CONTIG_DESCRIBE_H
#define _MM_CONTIG_DESCRIBE_H

#include <linux/types.h>

#include "contig.h"

struct page;
struct seq_buf;

/* describe.c: who uses that page, in words */
const char *contig_block_reason_name(enum contig_block_reason reason);
void contig_blocker_describe(const struct contig_blocker *blocker,
			     struct seq_buf *text);
void contig_blocker_dump_owner(const struct contig_blocker *blocker);

/**
 * enum contig_page_kind - what a page holds
 * @CONTIG_PAGE_FREE:	nothing
 * @CONTIG_PAGE_CACHE:	clean page cache that no program maps
 * @CONTIG_PAGE_TEXT:	clean page cache that programs map
 * @CONTIG_PAGE_DIRTY:	page cache that is not written yet
 * @CONTIG_PAGE_WRITEBACK: page cache or swap that is being written
 * @CONTIG_PAGE_PROGRAM: memory of programs
 * @CONTIG_PAGE_SHMEM:	shared memory, tmpfs
 * @CONTIG_PAGE_LOCKED:	locked in memory by mlock() or the like
 * @CONTIG_PAGE_COMPRESSED: compressed memory, or another kind that its owner moves
 * @CONTIG_PAGE_HUGE:	a page of hugetlb
 * @CONTIG_PAGE_PINNED:	has more references than migration expects
 * @CONTIG_PAGE_OTHER:	of no program and no file
 * @CONTIG_PAGE_POISONED: broken memory
 * @CONTIG_PAGE_NR:	number of kinds
 */
enum contig_page_kind {
	CONTIG_PAGE_FREE,
	CONTIG_PAGE_CACHE,
	CONTIG_PAGE_TEXT,
	CONTIG_PAGE_DIRTY,
	CONTIG_PAGE_WRITEBACK,
	CONTIG_PAGE_PROGRAM,
	CONTIG_PAGE_SHMEM,
	CONTIG_PAGE_LOCKED,
	CONTIG_PAGE_COMPRESSED,
	CONTIG_PAGE_HUGE,
	CONTIG_PAGE_PINNED,
	CONTIG_PAGE_OTHER,
	CONTIG_PAGE_POISONED,
	CONTIG_PAGE_NR
};

/* kind.c: what pages hold */
enum contig_page_kind contig_page_kind(const struct page *page);
const char *contig_page_kind_name(enum contig_page_kind kind);
bool contig_page_can_go(enum contig_page_kind kind);

/**
 * struct contig_contents - what a window holds, for an event
 * @price:	of emptying it, as in struct contig_survey, but of all its pages
 * @nr_free:	free pages
 * @nr_cold:	cold page cache, to be dropped
 * @nr_warm:	warm page cache that nobody maps, to be copied
 * @nr_other:	other pages that move
 * @nr_dirty:	dirty pages of files, and pages on no LRU list
 * @nr_busy:	pages of files that are locked or under writeback
 * @nr_stuck:	pages that do not move, as far as was seen
 */
struct contig_contents {
	unsigned long price;
	unsigned long nr_free;
	unsigned long nr_cold;
	unsigned long nr_warm;
	unsigned long nr_other;
	unsigned long nr_dirty;
	unsigned long nr_busy;
	unsigned long nr_stuck;
};

/* survey.c: what a window holds */
void contig_survey_contents(unsigned long start_pfn, unsigned long end_pfn,
			    struct contig_contents *contents);

#endif /* _MM_CONTIG_DESCRIBE_H */
