// SPDX-License-Identifier: GPL-2.0
/*
 * Areas of a device, for people to read: a line in the log when a driver is
 * bound for the first time, and all devices in /proc/cma/holders and debugfs.
 *
 * Both take a snapshot, as a request does. device_lock keeps the bus ranges of
 * a device, which say what it reaches.
 */
#include <linux/cma.h>
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "base.h"
#include "dma-areas.h"

/**
 * dma_area_log() - log which areas a device has
 * @dev:	the device, which is being bound
 * @missing:	some of its areas do not exist, which the log says already
 *
 * Context: Process.
 */
void dma_area_log(struct device *dev, bool missing)
{
	struct dma_area_snapshot areas;
	char names[128] = "";
	size_t length = 0;

	if (dma_area_is_logged(dev))
		return;
	dma_area_snapshot(dev, NULL, &areas);
	if (!areas.own && !missing)
		return;
	if (dev->p)
		dev->p->cma_logged = true;
	for (unsigned int i = 0; i < areas.nr; i++)
		length += scnprintf(names + length, sizeof(names) - length,
				    "%s%s", i ? ", " : "",
				    cma_get_name(areas.area[i]));
	if (areas.refused)
		return;
	if (areas.own)
		dev_info(dev, "cma: takes memory from %s%s\n", names,
			 areas.falls_back ? ", then any" : "");
	else
		dev_info(dev, "cma: other memory does for it\n");
}

#if defined(CONFIG_PROC_FS) || defined(CONFIG_CMA_DEBUGFS)

static const char *dma_area_state(struct device *dev, const struct cma *area)
{
	if (!cma_serves_pages(area))
		return "down";
	return dma_area_reached(dev, area) ? "reached" : "out-of-reach";
}

/* White space in names would look like the end of a field. */
static void dma_area_show_name(struct seq_file *seq, const char *name)
{
	seq_escape(seq, name, " \t\n\\");
	seq_putc(seq, ' ');
}

/* Each line begins with @word. */
static void dma_area_show_device(struct seq_file *seq, struct device *dev,
				 const char *word)
{
	struct dma_area_snapshot areas;

	dma_area_snapshot(dev, NULL, &areas);
	if (!areas.own)
		return;
	for (unsigned int i = 0; i < areas.nr; i++) {
		seq_puts(seq, word);
		dma_area_show_name(seq, dev_name(dev));
		seq_printf(seq, "%u ", i);
		dma_area_show_name(seq, cma_get_name(areas.area[i]));
		seq_printf(seq, "%s\n", dma_area_state(dev, areas.area[i]));
	}
	if (!areas.refused && !areas.falls_back)
		return;
	seq_puts(seq, word);
	dma_area_show_name(seq, dev_name(dev));
	if (areas.refused)
		seq_puts(seq, "- - refused\n");
	else
		seq_printf(seq, "%u - any\n", areas.nr);
}

/* Return: device number @n with a reference; NULL if there are fewer. */
static struct device *dma_area_device_at(unsigned int n)
{
	struct device *dev = NULL;
	struct kobject *kobj;

	spin_lock(&devices_kset->list_lock);
	list_for_each_entry(kobj, &devices_kset->list, entry)
		if (!n--) {
			dev = get_device(kobj_to_dev(kobj));
			break;
		}
	spin_unlock(&devices_kset->list_lock);
	return dev;
}

static void dma_area_show_devices(struct seq_file *seq, const char *word)
{
	struct device *dev;

	for (unsigned int n = 0; (dev = dma_area_device_at(n)); n++) {
		/* Unbinding frees dev->dma_range_map. */
		int error = device_lock_interruptible(dev);

		if (!error) {
			dma_area_show_device(seq, dev, word);
			device_unlock(dev);
		}
		put_device(dev);
		/* A driver that hangs while it is bound must not hang this. */
		if (error)
			break;
	}
}

#endif /* CONFIG_PROC_FS || CONFIG_CMA_DEBUGFS */

#ifdef CONFIG_PROC_FS

static void dma_area_show_holders(struct seq_file *seq)
{
	dma_area_show_devices(seq, "device ");
}

static int __init dma_area_set_proc(void)
{
	cma_proc_set_devices(dma_area_show_holders);
	return 0;
}
late_initcall(dma_area_set_proc);

#endif /* CONFIG_PROC_FS */

#ifdef CONFIG_CMA_DEBUGFS

static int dma_area_devices_show(struct seq_file *seq, void *unused)
{
	dma_area_show_devices(seq, "");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dma_area_devices);

/* Late: mm/cma/debugfs.c makes the directory before. */
static int __init dma_area_make_file(void)
{
	struct dentry *dir = debugfs_lookup("cma", NULL);

	debugfs_create_file("devices", 0400, dir, NULL, &dma_area_devices_fops);
	dput(dir);
	return 0;
}
late_initcall_sync(dma_area_make_file);

#endif /* CONFIG_CMA_DEBUGFS */
