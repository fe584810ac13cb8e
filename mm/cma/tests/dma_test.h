/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Interface of the DMA test driver, /dev/cma_test, and /dev/cma_test.<device>
 * for each device that the device tree declares; included by the driver and by
 * the programs that use it. Sizes and offsets are bytes.
 */
#ifndef __CMA_DMA_TEST_H
#define __CMA_DMA_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DMA_TEST_NAME	"cma_test"
#define DMA_TEST_DEVICE	"/dev/" DMA_TEST_NAME

/* The context in which a buffer is asked for. */
enum dma_test_context {
	DMA_TEST_KERNEL,	/* may sleep: GFP_KERNEL */
	DMA_TEST_NOWAIT,	/* could sleep, asks not to: GFP_NOWAIT */
	DMA_TEST_ATOMIC,	/* under a spinlock: GFP_ATOMIC */
	DMA_TEST_NR_CONTEXTS,
};

/* Attributes, with the values of the kernel's DMA_ATTR_*. */
#define DMA_TEST_WRITE_COMBINE		0x004
#define DMA_TEST_NO_KERNEL_MAPPING	0x010
#define DMA_TEST_FORCE_CONTIGUOUS	0x040
#define DMA_TEST_ALLOC_SINGLE_PAGES	0x080
#define DMA_TEST_NO_WARN		0x100
#define DMA_TEST_ATTRS			(DMA_TEST_WRITE_COMBINE | \
					 DMA_TEST_NO_KERNEL_MAPPING | \
					 DMA_TEST_FORCE_CONTIGUOUS | \
					 DMA_TEST_ALLOC_SINGLE_PAGES | \
					 DMA_TEST_NO_WARN)

/* Which functions of the DMA API it is for. */
enum dma_test_kind {
	DMA_TEST_COHERENT,	/* dma_alloc_attrs() */
	DMA_TEST_PAGES,		/* dma_alloc_pages(), without attributes */
	DMA_TEST_NONCONTIGUOUS,	/* dma_alloc_noncontiguous(), likewise */
	DMA_TEST_NR_KINDS,
};

/* Where the address given to the kernel side lies. */
enum dma_test_where {
	DMA_TEST_NOWHERE,	/* DMA_TEST_NO_KERNEL_MAPPING */
	DMA_TEST_LINEAR,	/* the kernel's linear mapping */
	DMA_TEST_REMAPPED,	/* a mapping made for the buffer */
};

struct dma_test_alloc {
	__u64 size;
	__u32 context;
	__u32 attrs;
	__u64 dma_addr;		/* out, as are those below */
	__u64 time_ns;		/* the time dma_alloc_attrs() took */
	__u32 id;
	__u32 where;
	__u32 kind;		/* in */
	__u32 pad;
};

struct dma_test_free {
	__u32 id;
	__u32 pad;
	__u64 time_ns;		/* out: the time dma_free_attrs() took */
};

/* Properties of a buffer. */
#define DMA_TEST_CONTIGUOUS	0x01	/* page i at dma_addr + i */
#define DMA_TEST_ZEROED		0x02	/* before the first write */
#define DMA_TEST_WRITABLE	0x04	/* reads back what was written */
#define DMA_TEST_UNCACHED	0x08	/* as the page tables say */
#define DMA_TEST_UNALIASED	0x10	/* no cached second mapping */

struct dma_test_check {
	__u32 id;
	__u32 tested;		/* out: the properties that could be tested */
	__u32 found;		/* out: those of them which the buffer has */
	__u32 pad;
};

struct dma_test_fill {
	__u32 id;
	__u32 seed;
	__u64 offset;		/* out: the first byte that differs */
};

/* A page of a buffer as the caller has it mapped, and as the kernel has. */
struct dma_test_mapping {
	__u64 addr;		/* the caller's */
	__u32 id;
	__u32 offset;		/* of that page in the buffer */
	__u32 user_type;	/* out: memory types, as in page table entries */
	__u32 kernel_type;
	__u32 same_page;	/* out: both lead to the same page */
	__u32 pad;
};

/* Where pages of an area are given back. */
enum dma_test_release {
	DMA_TEST_LOCKED,	/* under a spinlock */
	DMA_TEST_LOCKED_IRQ,	/* likewise, with interrupts off */
	DMA_TEST_SOFTIRQ,	/* by a timer */
	DMA_TEST_HARDIRQ,	/* in an interrupt */
	DMA_TEST_NR_RELEASES,
};

/* Pages taken with cma_alloc() and released at once. */
struct dma_test_raw {
	__u64 nr_pages;
	__u32 release;
	__u32 pad;
	__u64 pfn;		/* out */
};

struct dma_test_use {
	char type[32];		/* what the next buffers are for; "" for nothing */
};

/* What of an area's purpose other memory may serve. */
enum dma_test_path {
	DMA_TEST_PATH_ARM,	/* a few pages, once the area is used up */
	DMA_TEST_PATH_GENERIC,	/* single pages always; then what it can */
};

struct dma_test_info {
	__u64 dma_mask;
	__u64 size;		/* held by this open file */
	__u32 nr_buffers;	/* held by this open file */
	__u32 page_size;
	__u32 path;
	__u32 pad;
};

/*
 * ALLOC	-ENOMEM when the DMA API returns no buffer
 * FREE		-ENOENT for an unknown id, -EBUSY while mapped or in use
 * CHECK	overwrites the contents
 * VERIFY	-EILSEQ when the contents are not those of FILL with this seed
 * USE		as dma_contiguous_request_begin(), for all buffers from now on:
 *		-ENOENT if the device has no such type
 * MAPPING	-EOPNOTSUPP on other architectures than ARM
 * RAW		-ENODEV without an area, -ENOMEM when it has no such pages
 *
 * mmap() takes the id times the page size for its offset.
 */
#define DMA_TEST_IOC_ALLOC	_IOWR('c', 0x70, struct dma_test_alloc)
#define DMA_TEST_IOC_FREE	_IOWR('c', 0x71, struct dma_test_free)
#define DMA_TEST_IOC_CHECK	_IOWR('c', 0x72, struct dma_test_check)
#define DMA_TEST_IOC_FILL	_IOWR('c', 0x73, struct dma_test_fill)
#define DMA_TEST_IOC_VERIFY	_IOWR('c', 0x74, struct dma_test_fill)
#define DMA_TEST_IOC_INFO	_IOR('c', 0x75, struct dma_test_info)
#define DMA_TEST_IOC_USE	_IOW('c', 0x76, struct dma_test_use)
#define DMA_TEST_IOC_MAPPING	_IOWR('c', 0x77, struct dma_test_mapping)
#define DMA_TEST_IOC_RAW	_IOWR('c', 0x78, struct dma_test_raw)

#endif /* __CMA_DMA_TEST_H */
