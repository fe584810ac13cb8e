/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records that are kept for the next buffers, see mm/cma/stock.c.
 */
#ifndef _LINUX_CMA_STOCK_H
#define _LINUX_CMA_STOCK_H

#include <linux/types.h>
#include <linux/workqueue.h>

#define CMA_STOCK_RECORDS	32

/**
 * struct cma_stock - free records of one kind
 * @records:	those that there are; NULL for the others
 * @size:	of a record, in bytes
 * @refill:	makes more of them
 */
struct cma_stock {
	void *records[CMA_STOCK_RECORDS];
	size_t size;
	struct work_struct refill;
};

#define CMA_STOCK_INIT(_name, _type) {					\
	.size	= sizeof(_type),					\
	.refill	= __WORK_INITIALIZER((_name).refill, cma_stock_refill),	\
}

void cma_stock_refill(struct work_struct *work);
void *cma_stock_take(struct cma_stock *stock, gfp_t gfp);
void cma_stock_put(struct cma_stock *stock, void *record);

#endif /* _LINUX_CMA_STOCK_H */
