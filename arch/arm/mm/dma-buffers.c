// SPDX-License-Identifier: GPL-2.0
/*
 * Records of the buffers that the DMA API of ARM has handed out, and where each
 * comes from.
 *
 * A record is found by the address that the driver has, in one of several
 * trees: a release is O(log n), and CPUs with different buffers do not contend.
 *
 * shard->lock covers its tree. Sizes are bytes.
 */
#include <linux/bug.h>
#include <linux/cma-stock.h>
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/log2.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "dma-contiguous.h"

#define ARM_DMA_SHARDS	64

struct arm_dma_shard {
	spinlock_t lock;	/* buffers */
	struct rb_root buffers;
};

static struct arm_dma_shard arm_dma_shards[ARM_DMA_SHARDS] = {
	[0 ... ARM_DMA_SHARDS - 1] = {
		.lock		= __SPIN_LOCK_UNLOCKED(arm_dma_shards.lock),
		.buffers	= RB_ROOT,
	},
};

static struct cma_stock arm_dma_stock =
	CMA_STOCK_INIT(arm_dma_stock, struct arm_dma_buffer);

static struct arm_dma_buffer *arm_dma_buffer_of(const struct rb_node *node)
{
	return rb_entry(node, struct arm_dma_buffer, node);
}

static struct arm_dma_shard *arm_dma_shard_of(const void *virt)
{
	return &arm_dma_shards[hash_ptr(virt, ilog2(ARM_DMA_SHARDS))];
}

static bool arm_dma_virt_less(struct rb_node *a, const struct rb_node *b)
{
	return arm_dma_buffer_of(a)->virt < arm_dma_buffer_of(b)->virt;
}

static int arm_dma_virt_cmp(const void *virt, const struct rb_node *node)
{
	const void *other = arm_dma_buffer_of(node)->virt;

	return virt < other ? -1 : virt > other;
}

static int __init arm_dma_buffers_init(void)
{
	cma_stock_refill(&arm_dma_stock.refill);
	return 0;
}
core_initcall(arm_dma_buffers_init);

/**
 * arm_dma_buffer_new() - make a record
 * @gfp:	flags of the request
 *
 * Context: May sleep if @gfp allows it.
 * Return: the record, which is all zeroes; NULL if there is no memory for it.
 */
struct arm_dma_buffer *arm_dma_buffer_new(gfp_t gfp)
{
	struct arm_dma_buffer *buf;

	gfp &= ~(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM);
	buf = cma_stock_take(&arm_dma_stock, gfp);
	if (buf)
		memset(buf, 0, sizeof(*buf));
	return buf;
}

/**
 * arm_dma_buffer_free() - free a record that is in no tree
 * @buf:	the record, of any allocator
 *
 * Context: Any but NMI.
 */
void arm_dma_buffer_free(struct arm_dma_buffer *buf)
{
	cma_stock_put(&arm_dma_stock, buf);
}

/**
 * arm_dma_buffer_add() - record a buffer that goes to a driver
 * @buf:	the record; ->virt is set
 * @size:	bytes, whole pages
 * @page:	its first page
 *
 * Context: Any but NMI.
 */
void arm_dma_buffer_add(struct arm_dma_buffer *buf, size_t size,
			struct page *page)
{
	struct arm_dma_shard *shard = arm_dma_shard_of(buf->virt);
	unsigned long flags;

	buf->size = size;
	buf->page = page;
	spin_lock_irqsave(&shard->lock, flags);
	rb_add(&buf->node, &shard->buffers, arm_dma_virt_less);
	spin_unlock_irqrestore(&shard->lock, flags);
}

/**
 * arm_dma_buffer_find() - find and remove the record of a buffer
 * @virt:	address that the driver frees
 * @size:	bytes, whole pages, as the driver says
 *
 * A buffer of another size keeps its record, so that it can still be freed:
 * some of the pages that the driver names may belong to others.
 *
 * Context: Any but NMI.
 * Return: the record; NULL if there is none; -EINVAL as a pointer if the size
 * differs, with a warning the first time.
 */
struct arm_dma_buffer *arm_dma_buffer_find(void *virt, size_t size)
{
	struct arm_dma_shard *shard = arm_dma_shard_of(virt);
	struct arm_dma_buffer *buf = NULL;
	struct rb_node *node;
	unsigned long flags;
	size_t has = size;

	spin_lock_irqsave(&shard->lock, flags);
	node = rb_find(virt, &shard->buffers, arm_dma_virt_cmp);
	if (node) {
		buf = arm_dma_buffer_of(node);
		has = buf->size;
		if (has == size)
			rb_erase(node, &shard->buffers);
	}
	spin_unlock_irqrestore(&shard->lock, flags);

	if (has == size)
		return buf;
	WARN_ONCE(1, "cma: release of %zu bytes at %p, in a buffer of %zu\n",
		  size, virt, has);
	return ERR_PTR(-EINVAL);
}
