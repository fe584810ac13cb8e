// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/mm/cma/<area>/: counters in pages since boot, and settings.
 */
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "../contig/store.h"
#include "internal.h"

/* Never NULL when called: only the folders of areas have these files. */
static struct cma *kobj_to_cma(const struct kobject *kobj)
{
	for (unsigned int i = 0; i < cma_area_count; i++)
		if (cma_areas[i].kobj == kobj)
			return &cma_areas[i];
	return NULL;
}

static ssize_t show_nr_pages(char *buf, const atomic64_t *nr_pages)
{
	return sysfs_emit(buf, "%llu\n", (u64)atomic64_read(nr_pages));
}

static ssize_t show_kib(char *buf, unsigned long nr_pages)
{
	return sysfs_emit(buf, "%llu\n", (u64)nr_pages * (PAGE_SIZE / SZ_1K));
}

static ssize_t alloc_pages_success_show(struct kobject *kobj,
					struct kobj_attribute *attr, char *buf)
{
	return show_nr_pages(buf, &kobj_to_cma(kobj)->nr_pages_succeeded);
}

static struct kobj_attribute alloc_pages_success_attr =
	__ATTR_RO(alloc_pages_success);

static ssize_t alloc_pages_fail_show(struct kobject *kobj,
				     struct kobj_attribute *attr, char *buf)
{
	return show_nr_pages(buf, &kobj_to_cma(kobj)->nr_pages_failed);
}

static struct kobj_attribute alloc_pages_fail_attr =
	__ATTR_RO(alloc_pages_fail);

static ssize_t release_pages_success_show(struct kobject *kobj,
					  struct kobj_attribute *attr,
					  char *buf)
{
	return show_nr_pages(buf, &kobj_to_cma(kobj)->nr_pages_released);
}

static struct kobj_attribute release_pages_success_attr =
	__ATTR_RO(release_pages_success);

static ssize_t total_pages_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", kobj_to_cma(kobj)->nr_pages);
}

static struct kobj_attribute total_pages_attr = __ATTR_RO(total_pages);

static ssize_t available_pages_show(struct kobject *kobj,
				    struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", cma_nr_available(kobj_to_cma(kobj)));
}

static struct kobj_attribute available_pages_attr = __ATTR_RO(available_pages);

static ssize_t held_pages_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", cma_nr_held(kobj_to_cma(kobj)));
}

static struct kobj_attribute held_pages_attr = __ATTR_RO(held_pages);

static ssize_t cached_pages_show(struct kobject *kobj,
				 struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", cma_cache_pages(kobj_to_cma(kobj)));
}

static struct kobj_attribute cached_pages_attr = __ATTR_RO(cached_pages);

static ssize_t show_census(struct kobject *kobj, char *buf,
			   unsigned long (*sum)(const struct cma_census *census))
{
	struct cma_census census;

	cma_count_pages(kobj_to_cma(kobj), &census);
	return sysfs_emit(buf, "%lu\n", sum(&census));
}

static ssize_t lent_pages_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return show_census(kobj, buf, cma_census_lent);
}

static struct kobj_attribute lent_pages_attr = __ATTR_RO(lent_pages);

static ssize_t free_pages_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return show_census(kobj, buf, cma_census_free);
}

static struct kobj_attribute free_pages_attr = __ATTR_RO(free_pages);

/* Pages that no holder has, and those of the widest hole, at one time. */
static unsigned long unheld_pages(struct cma *cma, unsigned long *widest)
{
	unsigned long nr_pages;

	spin_lock_irq(&cma->lock);
	nr_pages = cma->range.nr_pages - cma->range.nr_held;
	*widest = cma_range_widest_hole(&cma->range);
	spin_unlock_irq(&cma->lock);
	return nr_pages;
}

static ssize_t widest_hole_pages_show(struct kobject *kobj,
				      struct kobj_attribute *attr, char *buf)
{
	unsigned long widest;

	unheld_pages(kobj_to_cma(kobj), &widest);
	return sysfs_emit(buf, "%lu\n", widest);
}

static struct kobj_attribute widest_hole_pages_attr =
	__ATTR_RO(widest_hole_pages);

/* Thousandths of the pages that no holder has outside of the widest hole. */
static ssize_t fragmentation_index_show(struct kobject *kobj,
					struct kobj_attribute *attr, char *buf)
{
	unsigned long nr_pages, widest;

	nr_pages = unheld_pages(kobj_to_cma(kobj), &widest);
	return sysfs_emit(buf, "%llu\n",
			  nr_pages ? div64_u64(1000ULL * (nr_pages - widest),
					       nr_pages) : 0ULL);
}

static struct kobj_attribute fragmentation_index_attr =
	__ATTR_RO(fragmentation_index);

static ssize_t requests_succeeded_show(struct kobject *kobj,
				       struct kobj_attribute *attr, char *buf)
{
	struct cma *cma = kobj_to_cma(kobj);
	unsigned long nr = cma_cache_hits(cma);

	for (unsigned int i = 0; i < CMA_LATENCY_BUCKETS; i++)
		nr += atomic_long_read(&cma->latency[i]);
	return sysfs_emit(buf, "%lu\n", nr);
}

static struct kobj_attribute requests_succeeded_attr =
	__ATTR_RO(requests_succeeded);

#define CMA_FAILED_ATTR(name, result)					\
static ssize_t requests_failed_##name##_show(struct kobject *kobj,	\
					     struct kobj_attribute *attr, \
					     char *buf)			\
{									\
	return sysfs_emit(buf, "%lu\n",				\
			  atomic_long_read(&kobj_to_cma(kobj)->		\
					   nr_failed[result]));		\
}									\
static struct kobj_attribute requests_failed_##name##_attr =		\
	__ATTR_RO(requests_failed_##name)

CMA_FAILED_ATTR(no_room, CMA_NO_ROOM);
CMA_FAILED_ATTR(busy, CMA_BUSY);
CMA_FAILED_ATTR(no_memory, CMA_NO_MEMORY);
CMA_FAILED_ATTR(killed, CMA_KILLED);
CMA_FAILED_ATTR(invalid, CMA_INVALID);

/* The lines of a hist trigger with the modifier .log2. */
static ssize_t latency_histogram_show(struct kobject *kobj,
				      struct kobj_attribute *attr, char *buf)
{
	const struct cma *cma = kobj_to_cma(kobj);
	int length = 0;

	for (unsigned int i = 0; i < CMA_LATENCY_BUCKETS; i++) {
		unsigned long nr = atomic_long_read(&cma->latency[i]);

		if (nr)
			length += sysfs_emit_at(buf, length,
						"{ usecs: ~ 2^%-2u } hitcount: %10lu\n",
						i, nr);
	}
	return length;
}

static struct kobj_attribute latency_histogram_attr =
	__ATTR_RO(latency_histogram);

static ssize_t cma_fit_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	const struct cma *cma = kobj_to_cma(kobj);

	return sysfs_emit(buf, "%s\n", cma_fit_name(READ_ONCE(cma->fit)));
}

static ssize_t cma_fit_store(struct kobject *kobj, struct kobj_attribute *attr,
			     const char *buf, size_t count)
{
	int error = cma_set_fit(kobj_to_cma(kobj), buf);

	return error ?: count;
}

static struct kobj_attribute fit_attr =
	__ATTR(fit, 0644, cma_fit_show, cma_fit_store);

static ssize_t patience_ms_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	const struct cma *cma = kobj_to_cma(kobj);

	return sysfs_emit(buf, "%u\n", READ_ONCE(cma->patience_ms));
}

static ssize_t patience_ms_store(struct kobject *kobj,
				 struct kobj_attribute *attr, const char *buf,
				 size_t count)
{
	unsigned int ms;
	int error = kstrtouint(buf, 0, &ms);

	error = error ?: cma_set_patience(kobj_to_cma(kobj), ms);
	return error ?: count;
}

static struct kobj_attribute patience_ms_attr = __ATTR_RW(patience_ms);

/* At most the size of the area. */
static ssize_t store_kib(struct kobject *kobj, const char *buf, size_t count,
			 void (*set)(struct cma *cma, unsigned long nr_pages))
{
	struct cma *cma = kobj_to_cma(kobj);
	unsigned long kib, nr_pages;
	int error = kstrtoul(buf, 0, &kib);

	if (error)
		return error;
	nr_pages = kib / (PAGE_SIZE / SZ_1K);
	if (nr_pages > cma->nr_pages)
		return -ERANGE;
	set(cma, nr_pages);
	return count;
}

static ssize_t cache_kib_show(struct kobject *kobj, struct kobj_attribute *attr,
			      char *buf)
{
	return show_kib(buf, READ_ONCE(kobj_to_cma(kobj)->cache_limit));
}

static ssize_t cache_kib_store(struct kobject *kobj,
			       struct kobj_attribute *attr, const char *buf,
			       size_t count)
{
	return store_kib(kobj, buf, count, cma_cache_set_limit);
}

static struct kobj_attribute cache_kib_attr = __ATTR_RW(cache_kib);

static ssize_t cache_age_ms_show(struct kobject *kobj,
				 struct kobj_attribute *attr, char *buf)
{
	const struct cma *cma = kobj_to_cma(kobj);

	return sysfs_emit(buf, "%u\n", READ_ONCE(cma->cache_age_ms));
}

static ssize_t cache_age_ms_store(struct kobject *kobj,
				  struct kobj_attribute *attr, const char *buf,
				  size_t count)
{
	unsigned int ms;
	int error = kstrtouint(buf, 0, &ms);

	if (error)
		return error;
	if (ms > CMA_CACHE_AGE_MAX_MS)
		return -ERANGE;
	cma_cache_set_age(kobj_to_cma(kobj), ms);
	return count;
}

static struct kobj_attribute cache_age_ms_attr = __ATTR_RW(cache_age_ms);

static ssize_t headroom_kib_show(struct kobject *kobj,
				 struct kobj_attribute *attr, char *buf)
{
	return show_kib(buf, READ_ONCE(kobj_to_cma(kobj)->headroom.nr_pages));
}

static struct kobj_attribute headroom_kib_attr = __ATTR_RO(headroom_kib);

/* No more than the area has; what is larger is shown as this. */
static unsigned long headroom_bound(const struct cma *cma,
				    unsigned long nr_pages)
{
	return min(nr_pages, cma->nr_pages);
}

static ssize_t headroom_min_kib_show(struct kobject *kobj,
				     struct kobj_attribute *attr, char *buf)
{
	const struct cma *cma = kobj_to_cma(kobj);

	return show_kib(buf, headroom_bound(cma,
					    READ_ONCE(cma->headroom.min_pages)));
}

static ssize_t headroom_min_kib_store(struct kobject *kobj,
				      struct kobj_attribute *attr,
				      const char *buf, size_t count)
{
	return store_kib(kobj, buf, count, cma_headroom_set_min);
}

static struct kobj_attribute headroom_min_kib_attr =
	__ATTR_RW(headroom_min_kib);

static ssize_t headroom_max_kib_show(struct kobject *kobj,
				     struct kobj_attribute *attr, char *buf)
{
	const struct cma *cma = kobj_to_cma(kobj);

	return show_kib(buf, headroom_bound(cma,
					    READ_ONCE(cma->headroom.max_pages)));
}

static ssize_t headroom_max_kib_store(struct kobject *kobj,
				      struct kobj_attribute *attr,
				      const char *buf, size_t count)
{
	return store_kib(kobj, buf, count, cma_headroom_set_max);
}

static struct kobj_attribute headroom_max_kib_attr =
	__ATTR_RW(headroom_max_kib);

static ssize_t cma_mode_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	const struct cma *cma = kobj_to_cma(kobj);

	return sysfs_emit(buf, "%s\n", cma_mode_name(READ_ONCE(cma->mode)));
}

static ssize_t cma_mode_store(struct kobject *kobj,
			      struct kobj_attribute *attr, const char *buf,
			      size_t count)
{
	int mode = cma_mode_parse(buf);
	int error;

	if (mode < 0)
		return mode;
	error = cma_set_mode(kobj_to_cma(kobj), mode);
	return error ?: count;
}

static struct kobj_attribute mode_attr =
	__ATTR(mode, 0644, cma_mode_show, cma_mode_store);

static ssize_t cma_devices_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", kobj_to_cma(kobj)->devices ?: "");
}

static struct kobj_attribute devices_attr =
	__ATTR(devices, 0444, cma_devices_show, NULL);

static ssize_t cma_users_show(struct kobject *kobj,
			      struct kobj_attribute *attr, char *buf)
{
	static const char * const words[] = {
		[CMA_FOR_OWNER]		= "owner",
		[CMA_FOR_ALL]		= "all",
		[CMA_FOR_TYPE]		= "type",
		[CMA_FOR_REFERRERS]	= "referrers",
		[CMA_FOR_DEVICES]	= "devices",
		[CMA_FOR_NODE]		= "node",
	};

	return sysfs_emit(buf, "%s\n", words[kobj_to_cma(kobj)->users]);
}

static struct kobj_attribute users_attr =
	__ATTR(users, 0444, cma_users_show, NULL);

static struct attribute *cma_attrs[] = {
	&mode_attr.attr,
	&users_attr.attr,
	&devices_attr.attr,
	&alloc_pages_success_attr.attr,
	&alloc_pages_fail_attr.attr,
	&release_pages_success_attr.attr,
	&total_pages_attr.attr,
	&available_pages_attr.attr,
	&held_pages_attr.attr,
	&cached_pages_attr.attr,
	&lent_pages_attr.attr,
	&free_pages_attr.attr,
	&widest_hole_pages_attr.attr,
	&fragmentation_index_attr.attr,
	&requests_succeeded_attr.attr,
	&requests_failed_no_room_attr.attr,
	&requests_failed_busy_attr.attr,
	&requests_failed_no_memory_attr.attr,
	&requests_failed_killed_attr.attr,
	&requests_failed_invalid_attr.attr,
	&latency_histogram_attr.attr,
	&fit_attr.attr,
	&patience_ms_attr.attr,
	&cache_kib_attr.attr,
	&cache_age_ms_attr.attr,
	&headroom_kib_attr.attr,
	&headroom_min_kib_attr.attr,
	&headroom_max_kib_attr.attr,
	NULL
};

static const struct attribute_group cma_group = {
	.attrs	= cma_attrs,
};

#ifdef CONFIG_CMA_GUARANTEED

/* stored/<name>: @member of the sum of the area's stores, see guaranteed.c */
#define CMA_STORED_ATTR(_name, member)					\
static ssize_t stored_##_name##_show(struct kobject *kobj,		\
				     struct kobj_attribute *attr,	\
				     char *buf)				\
{									\
	struct contig_store_stats stats;				\
									\
	cma_stores_stats(kobj_to_cma(kobj), &stats);			\
	return sysfs_emit(buf, "%lu\n", stats.member);			\
}									\
									\
static struct kobj_attribute stored_##_name##_attr =			\
	__ATTR(_name, 0444, stored_##_name##_show, NULL)

CMA_STORED_ATTR(pages, nr_full);
CMA_STORED_ATTR(pages_added, nr_added);
CMA_STORED_ATTR(pages_found, nr_found);
CMA_STORED_ATTR(pages_forgotten, nr_forgotten);
CMA_STORED_ATTR(pages_replaced, nr_replaced);
CMA_STORED_ATTR(pages_refused, nr_refused);

static ssize_t stored_max_kib_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	const struct cma *cma = kobj_to_cma(kobj);

	return show_kib(buf, min(READ_ONCE(cma->stored_max), cma->nr_pages));
}

static ssize_t stored_max_kib_store(struct kobject *kobj,
				    struct kobj_attribute *attr,
				    const char *buf, size_t count)
{
	return store_kib(kobj, buf, count, cma_stores_set_max);
}

static struct kobj_attribute stored_max_kib_attr =
	__ATTR(max_kib, 0644, stored_max_kib_show, stored_max_kib_store);

static ssize_t stored_admit_one_in_show(struct kobject *kobj,
					struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  READ_ONCE(kobj_to_cma(kobj)->stored_one_in));
}

static ssize_t stored_admit_one_in_store(struct kobject *kobj,
					 struct kobj_attribute *attr,
					 const char *buf, size_t count)
{
	unsigned int one_in;
	int error = kstrtouint(buf, 0, &one_in);

	if (error)
		return error;
	cma_stores_set_admission(kobj_to_cma(kobj), one_in);
	return count;
}

static struct kobj_attribute stored_admit_one_in_attr =
	__ATTR(admit_one_in, 0644, stored_admit_one_in_show,
	       stored_admit_one_in_store);

static struct attribute *cma_stored_attrs[] = {
	&stored_max_kib_attr.attr,
	&stored_admit_one_in_attr.attr,
	&stored_pages_attr.attr,
	&stored_pages_added_attr.attr,
	&stored_pages_found_attr.attr,
	&stored_pages_forgotten_attr.attr,
	&stored_pages_replaced_attr.attr,
	&stored_pages_refused_attr.attr,
	NULL
};

static const struct attribute_group cma_stored_group = {
	.name	= "stored",
	.attrs	= cma_stored_attrs,
};

#endif

static const struct attribute_group *cma_groups[] = {
	&cma_group,
#ifdef CONFIG_CMA_GUARANTEED
	&cma_stored_group,
#endif
	NULL
};

static int __init cma_sysfs_init(void)
{
	struct kobject *root = kobject_create_and_add("cma", mm_kobj);

	if (!root)
		return -ENOMEM;

	for (unsigned int i = 0; i < cma_area_count; i++) {
		struct cma *cma = &cma_areas[i];

		/* The area works without its files, so go on. */
		cma->kobj = kobject_create_and_add(cma->name, root);
		if (!cma->kobj || sysfs_create_groups(cma->kobj, cma_groups))
			pr_err("cma: %s: no files in sysfs\n", cma->name);
	}
	return 0;
}
subsys_initcall(cma_sysfs_init);
