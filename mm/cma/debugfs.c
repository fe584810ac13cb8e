// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/cma/: contents of an area, and buffers taken by hand.
 *
 * <area>/base_pfn, count, order_per_bit	the area
 * <area>/ranges/N/base_pfn, count		pieces of the area
 * <area>/bitmap	words of 32 bits, one bit for 1 << order_per_bit pages,
 *			set where an owner holds them
 * <area>/used		pages that owners or searches hold, without "cached"
 * <area>/cached	pages of cached buffers
 * <area>/zeroed	pages of cached buffers that are zeroed
 * <area>/maxchunk	pages of the widest hole
 * <area>/alloc		write N: take a buffer of N pages
 * <area>/free		write N: give back N pages, latest buffer first
 * <area>/buffers	one line each: first pfn, pages, device, task, pid,
 *			seconds since boot when it was handed out, caller;
 *			dashes if it is cached or its window is being tried
 * failures		the most recent failed requests, and why: a line each
 *
 * Buffers taken here are on cma->debug_buffers, covered by cma->lock.
 */
#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "internal.h"

static int used_get(void *data, u64 *value)
{
	*value = cma_nr_held(data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(used_fops, used_get, NULL, "%llu\n");

static int cached_get(void *data, u64 *value)
{
	*value = cma_cache_pages(data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(cached_fops, cached_get, NULL, "%llu\n");

static int zeroed_get(void *data, u64 *value)
{
	*value = cma_cache_zeroed_pages(data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(zeroed_fops, zeroed_get, NULL, "%llu\n");

static int maxchunk_get(void *data, u64 *value)
{
	struct cma *cma = data;

	spin_lock_irq(&cma->lock);
	*value = cma_range_widest_hole(&cma->range);
	spin_unlock_irq(&cma->lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(maxchunk_fops, maxchunk_get, NULL, "%llu\n");

static int base_pfn_get(void *data, u64 *value)
{
	*value = ((struct cma *)data)->banks[0].start_pfn;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(base_pfn_fops, base_pfn_get, NULL, "%llu\n");

static int count_get(void *data, u64 *value)
{
	*value = ((struct cma *)data)->nr_pages;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(count_fops, count_get, NULL, "%llu\n");

static int order_per_bit_get(void *data, u64 *value)
{
	*value = ((struct cma *)data)->order_per_bit;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(order_per_bit_fops, order_per_bit_get, NULL,
			 "%llu\n");

static int bank_base_pfn_get(void *data, u64 *value)
{
	*value = ((struct cma_bank *)data)->start_pfn;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(bank_base_pfn_fops, bank_base_pfn_get, NULL, "%llu\n");

static int bank_count_get(void *data, u64 *value)
{
	struct cma_bank *bank = data;

	*value = bank->end_pfn - bank->start_pfn;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(bank_count_fops, bank_count_get, NULL, "%llu\n");

static void bitmap_set_held(const struct cma *cma,
			    const struct cma_holder *holder,
			    unsigned long *bits)
{
	bitmap_set(bits,
		   cma_area_index(cma, holder->start) >> cma->order_per_bit,
		   holder->nr_pages >> cma->order_per_bit);
}

static int bitmap_show(struct seq_file *seq, void *unused)
{
	struct cma *cma = seq->private;
	unsigned long nr_bits = cma->nr_pages >> cma->order_per_bit;
	unsigned int nr_words = DIV_ROUND_UP(nr_bits, 32);
	struct cma_holder *holder = NULL;
	unsigned long *bits;
	u32 *words;

	bits = bitmap_zalloc(nr_bits, GFP_KERNEL);
	words = kvcalloc(nr_words, sizeof(*words), GFP_KERNEL);
	if (!bits || !words) {
		bitmap_free(bits);
		kvfree(words);
		return -ENOMEM;
	}

	spin_lock_irq(&cma->lock);
	while ((holder = cma_range_next(&cma->range, holder)))
		if (READ_ONCE(container_of(holder, struct cma_buffer,
					   holder)->owned))
			bitmap_set_held(cma, holder, bits);
	spin_unlock_irq(&cma->lock);

	bitmap_to_arr32(words, bits, nr_bits);
	for (unsigned int i = 0; i < nr_words; i++)
		seq_printf(seq, "%u%c", words[i],
			   i + 1 == nr_words ? '\n' : ' ');
	bitmap_free(bits);
	kvfree(words);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(bitmap);

static void debugfs_show_buffer(struct seq_file *seq,
				const struct cma_buffer *buffer)
{
	/* Skip gaps between banks. */
	if (!buffer->nr_pages)
		return;
	seq_printf(seq, "%#lx %lu ", buffer->holder.start, buffer->nr_pages);
	if (buffer->owned)
		seq_printf(seq, "%s %s %d %lu %pS\n",
			   buffer->owner[0] ? buffer->owner : "-",
			   buffer->comm, buffer->pid, buffer->taken_s,
			   (void *)buffer->caller);
	else
		seq_puts(seq, "- - - - -\n");
}

/*
 * Nothing is printed under a lock: copy one record at a time, and find the next
 * one by address.
 */
static int buffers_show(struct seq_file *seq, void *unused)
{
	struct cma *cma = seq->private;
	unsigned long pfn = 0;

	while (true) {
		struct cma_holder *holder;
		struct cma_buffer buffer;

		spin_lock_irq(&cma->lock);
		holder = cma_range_from(&cma->range, pfn);
		/* A gap between adjacent banks has no pages: skip it. */
		while (holder && !holder->nr_pages)
			holder = cma_range_next(&cma->range, holder);
		if (holder)
			cma_buffer_snapshot(cma,
					    container_of(holder,
							 struct cma_buffer,
							 holder), &buffer);
		spin_unlock_irq(&cma->lock);
		if (!holder)
			return 0;

		debugfs_show_buffer(seq, &buffer);
		pfn = cma_holder_end(&buffer.holder);
		cond_resched();
	}
}
DEFINE_SHOW_ATTRIBUTE(buffers);

static int failures_show(struct seq_file *seq, void *unused)
{
	struct cma_failure *failure = kmalloc(sizeof(*failure), GFP_KERNEL);
	u64 number = 0;

	if (!failure)
		return -ENOMEM;
	while (cma_failure_next(number, failure)) {
		cma_failure_show_line(seq, failure);
		number = failure->number;
	}
	kfree(failure);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(failures);

static int alloc_set(void *data, u64 nr_pages)
{
	struct cma *cma = data;
	struct cma_buffer *buffer;
	struct page *page;

	if (nr_pages > cma->nr_pages)
		return -ENOMEM;
	page = cma_alloc(cma, nr_pages, 0, false);
	if (!page)
		return nr_pages ? -ENOMEM : -EINVAL;

	spin_lock_irq(&cma->lock);
	buffer = cma_buffer_at(cma, page_to_pfn(page));
	list_add(&buffer->node, &cma->debug_buffers);
	spin_unlock_irq(&cma->lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(alloc_fops, NULL, alloc_set, "%llu\n");

static struct cma_buffer *debugfs_take_latest(struct cma *cma)
{
	struct cma_buffer *buffer;

	spin_lock_irq(&cma->lock);
	buffer = list_first_entry_or_null(&cma->debug_buffers,
					  struct cma_buffer, node);
	if (buffer)
		list_del(&buffer->node);
	spin_unlock_irq(&cma->lock);
	return buffer;
}

static int free_set(void *data, u64 nr_pages)
{
	struct cma *cma = data;
	struct cma_buffer *buffer;

	while (nr_pages && (buffer = debugfs_take_latest(cma))) {
		unsigned long size = buffer->nr_pages;

		if (size <= nr_pages) {
			cma_release(cma, pfn_to_page(buffer->holder.start),
				    size);
			nr_pages -= size;
			continue;
		}
		if (!cma_release_part(cma, buffer, nr_pages))
			pr_debug("cma: %s: cannot give back %llu of %lu pages\n",
				 cma->name, nr_pages, size);
		spin_lock_irq(&cma->lock);
		list_add(&buffer->node, &cma->debug_buffers);
		spin_unlock_irq(&cma->lock);
		break;
	}
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(free_fops, NULL, free_set, "%llu\n");

static void __init debugfs_add_banks(struct cma *cma, struct dentry *dir)
{
	struct dentry *ranges = debugfs_create_dir("ranges", dir);

	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		struct cma_bank *bank = &cma->banks[i];
		struct dentry *range;
		char number[12];

		snprintf(number, sizeof(number), "%u", i);
		range = debugfs_create_dir(number, ranges);
		debugfs_create_file("base_pfn", 0444, range, bank,
				    &bank_base_pfn_fops);
		debugfs_create_file("count", 0444, range, bank,
				    &bank_count_fops);
	}
}

static int __init cma_debugfs_init(void)
{
	struct dentry *root = debugfs_create_dir("cma", NULL);

	debugfs_create_file("failures", 0444, root, NULL, &failures_fops);
	for (unsigned int i = 0; i < cma_area_count; i++) {
		struct cma *cma = &cma_areas[i];
		struct dentry *dir = debugfs_create_dir(cma->name, root);

		debugfs_create_file("base_pfn", 0444, dir, cma, &base_pfn_fops);
		debugfs_create_file("count", 0444, dir, cma, &count_fops);
		debugfs_create_file("order_per_bit", 0444, dir, cma,
				    &order_per_bit_fops);
		debugfs_create_file("bitmap", 0444, dir, cma, &bitmap_fops);
		debugfs_create_file("used", 0444, dir, cma, &used_fops);
		debugfs_create_file("cached", 0444, dir, cma, &cached_fops);
		debugfs_create_file("zeroed", 0444, dir, cma, &zeroed_fops);
		debugfs_create_file("maxchunk", 0444, dir, cma, &maxchunk_fops);
		debugfs_create_file("alloc", 0200, dir, cma, &alloc_fops);
		debugfs_create_file("free", 0200, dir, cma, &free_fops);
		debugfs_create_file("buffers", 0400, dir, cma, &buffers_fops);
		debugfs_add_banks(cma, dir);
	}
	return 0;
}
late_initcall(cma_debugfs_init);
