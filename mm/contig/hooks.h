/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions that the kernel's own files and mm/contig/ call of each other.
 */
#ifndef _MM_CONTIG_HOOKS_H
#define _MM_CONTIG_HOOKS_H

#include <linux/list.h>
#include <linux/types.h>

struct alloc_context;
struct page;
struct pglist_data;
struct zone;

/* page_alloc.c, for buddy.c; the caller holds zone->lock */
void contig_buddy_lift(struct zone *zone, struct page *page,
		       unsigned int order);
unsigned int contig_buddy_unlink_part(struct zone *zone, struct page *page,
				      unsigned int order, unsigned int found,
				      int migratetype);
void contig_buddy_count(struct zone *zone, int nr_pages, int migratetype);
void contig_buddy_put(struct zone *zone, struct page *page, unsigned int order);
struct page *contig_buddy_lift_any(struct zone *zone, unsigned int order,
				   int migratetype);

/* page_alloc.c of the newest kernel, for kernel.h */
void contig_page_tag_add(struct page *page, unsigned int nr_pages);
void contig_page_tag_sub(struct page *page, unsigned int nr_pages);

/* buddy.c, for page_alloc.c; the caller holds zone->lock */
unsigned int contig_buddy_take_bulk(struct zone *zone, unsigned int order,
				    unsigned int count, struct list_head *list);
struct page *contig_buddy_take_in_area(struct zone *zone, unsigned int order);
struct page *contig_buddy_take_headroom(struct zone *zone, unsigned int order);

/* kswapd.c, for vmscan.c */
bool contig_defers_kswapd(const struct zone *zone);

/* fill.c, for page_alloc.c and vmscan.c */
bool contig_fill_node(struct pglist_data *node, int highest_zoneidx);
bool contig_fill_for(const struct alloc_context *ac, gfp_t gfp);
bool contig_fill_before_oom(const struct alloc_context *ac, gfp_t gfp,
			    unsigned int order);

/* outside.c, for page_alloc.c and vmscan.c */
bool contig_reclaim_is_futile(struct pglist_data *node, int highest_zoneidx);
bool contig_boost_is_futile(struct zone *zone);
bool contig_nothing_to_reclaim(struct pglist_data *node, int highest_zoneidx);
unsigned long contig_nr_outside(struct zone *zone);

/* pin.c, for gup.c */
int contig_move_to_pin(struct list_head *folios, unsigned long target);
void contig_wait_to_pin(void);

#endif /* _MM_CONTIG_HOOKS_H */
