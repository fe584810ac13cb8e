// SPDX-License-Identifier: GPL-2.0
/*
 * Which buffers the DMA API of ARM has handed out, and where each comes from.
 *
 * Found by the address that the driver has, in one of several trees, so that a
 * release takes O(log n) however many there are, and CPUs that use different
 * buffers do not wait for each other.
 *
 * shard->lock covers its tree.
 */
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>

#include "dma-contiguous.h"

#define NR_SHARDS	64

struct shard {
	spinlock_t lock;	/* buffers */
	struct rb_root buffers;
};

static struct shard shards[NR_SHARDS] = {
	[0 ... NR_SHARDS - 1] = {
		.lock		= __SPIN_LOCK_UNLOCKED(shards.lock),
		.buffers	= RB_ROOT,
	},
};

static struct arm_dma_buffer *buffer_of(const struct rb_node *node)
{
	return rb_entry(node, struct arm_dma_buffer, node);
}

static struct shard *shard_of(const void *virt)
{
	return &shards[hash_ptr(virt, ilog2(NR_SHARDS))];
}

static bool virt_less(struct rb_node *a, const struct rb_node *b)
{
	return buffer_of(a)->virt < buffer_of(b)->virt;
}

static int cmp_virt(const void *virt, const struct rb_node *node)
{
	return virt < buffer_of(node)->virt ? -1 : virt > buffer_of(node)->virt;
}

/**
 * arm_dma_buffer_add() - remember a buffer that goes to a driver
 * @buf:	the buffer, with ->virt
 * @size:	bytes, whole pages
 * @page:	its first page
 *
 * Context: Any but NMI.
 */
void arm_dma_buffer_add(struct arm_dma_buffer *buf, size_t size,
			struct page *page)
{
	struct shard *shard = shard_of(buf->virt);
	unsigned long flags;

	buf->size = size;
	buf->page = page;
	spin_lock_irqsave(&shard->lock, flags);
	rb_add(&buf->node, &shard->buffers, virt_less);
	spin_unlock_irqrestore(&shard->lock, flags);
}

/**
 * arm_dma_buffer_find() - find a buffer that a driver gives back, and forget it
 * @virt:	what the driver knows it by
 * @size:	bytes, whole pages, as the driver has it
 *
 * One of another size stays known, so that it can be given back yet: there is
 * no telling which pages its owner believes to own, and some of them may be
 * somebody else's.
 *
 * Context: Any but NMI.
 * Return: the buffer; NULL if no driver has it; -EINVAL as a pointer, with a
 * warning the first time, if it is of another size.
 */
struct arm_dma_buffer *arm_dma_buffer_find(void *virt, size_t size)
{
	struct shard *shard = shard_of(virt);
	struct arm_dma_buffer *buf = NULL;
	struct rb_node *node;
	unsigned long flags;
	size_t has = size;

	spin_lock_irqsave(&shard->lock, flags);
	node = rb_find(virt, &shard->buffers, cmp_virt);
	if (node) {
		buf = buffer_of(node);
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
