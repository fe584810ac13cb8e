// SPDX-License-Identifier: GPL-2.0
/*
 * Fault injection, so that tests can drive every error path.
 *
 * Boot option fail_cma=<interval>,<probability>,<space>,<times> and
 * /sys/kernel/debug/fail_cma/, as Documentation/fault-injection describes.
 * "points" there is a mask of the places that may fail, by their number in
 * enum contig_fail_point; all of them by default.
 */
#include <linux/debugfs.h>
#include <linux/fault-inject.h>
#include <linux/init.h>

#include "contig.h"

static struct {
	struct fault_attr attr;
	u32 points;
} fail_cma = {
	.attr	= FAULT_ATTR_INITIALIZER,
	.points	= BIT(CONTIG_FAIL_NR) - 1,
};

static int __init setup_fail_cma(char *text)
{
	return setup_fault_attr(&fail_cma.attr, text);
}
__setup("fail_cma=", setup_fail_cma);

/**
 * contig_should_fail() - should this place fail now
 * @point:	the place
 *
 * Return: true if the caller has to behave as if it had failed.
 */
bool contig_should_fail(enum contig_fail_point point)
{
	return READ_ONCE(fail_cma.points) & BIT(point) &&
	       should_fail(&fail_cma.attr, 1);
}

static int __init fail_cma_debugfs(void)
{
	struct dentry *dir = fault_create_debugfs_attr("fail_cma", NULL,
						       &fail_cma.attr);

	if (IS_ERR(dir))
		return PTR_ERR(dir);
	debugfs_create_x32("points", 0600, dir, &fail_cma.points);
	return 0;
}
late_initcall(fail_cma_debugfs);
