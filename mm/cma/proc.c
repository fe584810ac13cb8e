// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/cma/, for root: what stands behind the counters of sysfs.
 *
 * holders	who has which buffer, and which areas each device has
 * map		what the pages of areas hold
 * failures	the most recent failed requests of each area, and why
 *
 * Each line begins with a word that says what it is about. A space separates
 * fields; white space in names is escaped.
 *
 * Nothing is printed under a lock. Readers of holders and failures keep a copy
 * of the record they are at, and find the next one by its address or number.
 */
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "internal.h"

/**
 * struct holders_cursor - where a reader of holders is
 * @area:	number of the area; behind the last one come the devices
 * @kind:	what @buffer is
 * @buffer:	copy of the record
 */
struct holders_cursor {
	unsigned int area;
	enum cma_page_kind kind;
	struct cma_buffer buffer;
};

static void (*show_devices)(struct seq_file *seq);

/**
 * cma_proc_set_devices() - set who prints the areas of devices
 * @show:	prints a line each: "device", the name of the device, a number,
 *		the area and whether the device reaches it
 *
 * Context: Boot.
 */
void __init cma_proc_set_devices(void (*show)(struct seq_file *seq))
{
	show_devices = show;
}

/* Copies the first record at or above @pfn that has pages. */
static bool copy_holder_from(struct cma *cma, unsigned long pfn,
			     struct holders_cursor *cursor)
{
	struct cma_holder *holder;

	spin_lock_irq(&cma->lock);
	holder = cma_range_from(&cma->range, pfn);
	/* A gap between banks has no pages of its own. */
	while (holder && !container_of(holder, struct cma_buffer,
				       holder)->nr_pages)
		holder = cma_range_next(&cma->range, holder);
	if (holder) {
		cursor->kind = cma_buffer_kind(cma, holder);
		cma_buffer_snapshot(cma, container_of(holder, struct cma_buffer,
						      holder), &cursor->buffer);
	}
	spin_unlock_irq(&cma->lock);
	return holder;
}

/* Return: the cursor; NULL past the devices. */
static void *seek_holder(struct holders_cursor *cursor, unsigned long pfn)
{
	for (; cursor->area < cma_area_count; cursor->area++, pfn = 0)
		if (cma_areas[cursor->area].active &&
		    copy_holder_from(&cma_areas[cursor->area], pfn, cursor))
			return cursor;
	return cursor->area == cma_area_count ? cursor : NULL;
}

static void *holders_start(struct seq_file *seq, loff_t *pos)
{
	struct holders_cursor *cursor = seq->private;

	if (*pos)
		return cursor->area > cma_area_count ? NULL : cursor;
	cursor->area = 0;
	return seek_holder(cursor, 0);
}

static void *holders_next(struct seq_file *seq, void *item, loff_t *pos)
{
	struct holders_cursor *cursor = item;

	++*pos;
	if (cursor->area == cma_area_count) {
		cursor->area++;
		return NULL;
	}
	return seek_holder(cursor, cma_holder_end(&cursor->buffer.holder));
}

static void cma_seq_stop(struct seq_file *seq, void *item)
{
}

static int holders_show(struct seq_file *seq, void *item)
{
	const struct holders_cursor *cursor = item;
	const struct cma_buffer *buffer = &cursor->buffer;
	const char *word = "search";

	if (cursor->area == cma_area_count) {
		if (show_devices)
			show_devices(seq);
		return 0;
	}
	if (cursor->kind != CMA_PAGE_SEARCH)
		word = buffer->owned ? "buffer" : "cached";
	seq_printf(seq, "%s ", word);
	seq_escape(seq, cma_areas[cursor->area].name, " \t\n\\");
	seq_printf(seq, " %#lx %lu", buffer->holder.start, buffer->nr_pages);
	if (buffer->owned) {
		seq_putc(seq, ' ');
		seq_escape(seq, buffer->owner[0] ? buffer->owner : "-",
			   " \t\n\\");
		seq_putc(seq, ' ');
		seq_escape(seq, buffer->comm, " \t\n\\");
		seq_printf(seq, " %d %lu %pS", buffer->pid, buffer->taken_s,
			   (void *)buffer->caller);
	}
	seq_putc(seq, '\n');
	return 0;
}

static const struct seq_operations holders_ops = {
	.start	= holders_start,
	.next	= holders_next,
	.stop	= cma_seq_stop,
	.show	= holders_show,
};

/**
 * struct map_cursor - a step of a map
 * @cma:	the area
 * @start_pfn:	first page
 * @end_pfn:	first page past the end
 */
struct map_cursor {
	struct cma *cma;
	unsigned long start_pfn;
	unsigned long end_pfn;
};

static void *map_seek(struct map_cursor *cursor, u64 step)
{
	for (unsigned int i = 0; i < cma_area_count; i++)
		for (unsigned int j = 0; j < cma_areas[i].nr_banks; j++) {
			const struct cma_bank *bank = &cma_areas[i].banks[j];
			unsigned long nr_steps =
				DIV_ROUND_UP(bank->end_pfn - bank->start_pfn,
					     CMA_MAP_PAGES);

			if (!cma_areas[i].active)
				break;
			if (step >= nr_steps) {
				step -= nr_steps;
				continue;
			}
			cursor->cma = &cma_areas[i];
			cursor->start_pfn = bank->start_pfn +
					    step * CMA_MAP_PAGES;
			cursor->end_pfn = min(cursor->start_pfn + CMA_MAP_PAGES,
					      bank->end_pfn);
			return cursor;
		}
	return NULL;
}

static void *map_start(struct seq_file *seq, loff_t *pos)
{
	return map_seek(seq->private, *pos);
}

static void *map_next(struct seq_file *seq, void *item, loff_t *pos)
{
	return map_seek(item, ++*pos);
}

static int map_show(struct seq_file *seq, void *item)
{
	const struct map_cursor *cursor = item;
	unsigned long nr_pages = cursor->end_pfn - cursor->start_pfn;
	unsigned long i = 0, run;
	u8 kinds[CMA_MAP_PAGES];

	cma_map_pages(cursor->cma, cursor->start_pfn, cursor->end_pfn, kinds);
	for (; i < nr_pages; i = run) {
		for (run = i + 1; run < nr_pages && kinds[run] == kinds[i]; )
			run++;
		seq_escape(seq, cursor->cma->name, " \t\n\\");
		seq_printf(seq, " %#lx %lu %s\n", cursor->start_pfn + i,
			   run - i, cma_page_kind_name(kinds[i]));
	}
	return 0;
}

static const struct seq_operations map_ops = {
	.start	= map_start,
	.next	= map_next,
	.stop	= cma_seq_stop,
	.show	= map_show,
};

static void *failures_start(struct seq_file *seq, loff_t *pos)
{
	struct cma_failure *failure = seq->private;

	if (!*pos)
		return cma_failure_next(0, failure) ? failure : NULL;
	return failure->number ? failure : NULL;
}

static void *failures_next(struct seq_file *seq, void *item, loff_t *pos)
{
	struct cma_failure *failure = item;

	++*pos;
	if (cma_failure_next(failure->number, failure))
		return failure;
	failure->number = 0;
	return NULL;
}

static int failures_show(struct seq_file *seq, void *item)
{
	cma_failure_show(seq, item);
	return 0;
}

static const struct seq_operations failures_ops = {
	.start	= failures_start,
	.next	= failures_next,
	.stop	= cma_seq_stop,
	.show	= failures_show,
};

/* Addresses of pages and of callers are for root only. */
static int __init cma_proc_init(void)
{
	struct proc_dir_entry *dir;

	if (!cma_area_count)
		return 0;
	dir = proc_mkdir("cma", NULL);
	if (!dir)
		return -ENOMEM;
	proc_create_seq_private("holders", 0400, dir, &holders_ops,
				sizeof(struct holders_cursor), NULL);
	proc_create_seq_private("map", 0400, dir, &map_ops,
				sizeof(struct map_cursor), NULL);
	proc_create_seq_private("failures", 0400, dir, &failures_ops,
				sizeof(struct cma_failure), NULL);
	return 0;
}
late_initcall(cma_proc_init);
