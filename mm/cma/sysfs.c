// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/mm/cma/<area>/: what an area gave and took since boot, in pages.
 */
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/sysfs.h>

#include "internal.h"

static struct cma *area_of(const struct kobject *kobj)
{
	for (unsigned int i = 0; i < cma_area_count; i++)
		if (cma_areas[i].kobj == kobj)
			return &cma_areas[i];
	return NULL;
}

#define CMA_COUNTER(file, counter)					\
static ssize_t file##_show(struct kobject *kobj,			\
			   struct kobj_attribute *attr, char *buf)	\
{									\
	const struct cma *cma = area_of(kobj);				\
									\
	if (!cma)							\
		return -ENODEV;						\
	return sysfs_emit(buf, "%llu\n",				\
			  (u64)atomic64_read(&cma->counter));		\
}									\
static struct kobj_attribute file##_attr = __ATTR_RO(file)

CMA_COUNTER(alloc_pages_success, nr_pages_succeeded);
CMA_COUNTER(alloc_pages_fail, nr_pages_failed);
CMA_COUNTER(release_pages_success, nr_pages_released);

static struct attribute *cma_attrs[] = {
	&alloc_pages_success_attr.attr,
	&alloc_pages_fail_attr.attr,
	&release_pages_success_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(cma);

static int __init cma_sysfs_init(void)
{
	struct kobject *root = kobject_create_and_add("cma", mm_kobj);

	if (!root)
		return -ENOMEM;

	for (unsigned int i = 0; i < cma_area_count; i++) {
		struct cma *cma = &cma_areas[i];

		/* An area without its files is still an area. */
		cma->kobj = kobject_create_and_add(cma->name, root);
		if (!cma->kobj || sysfs_create_groups(cma->kobj, cma_groups))
			pr_err("cma: %s: no files in sysfs\n", cma->name);
	}
	return 0;
}
subsys_initcall(cma_sysfs_init);
