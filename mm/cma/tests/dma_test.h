/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Interface of the DMA test driver: /dev/cma_test, and /dev/cma_test.<device>
 * for each device that the device tree declares. The driver and the programs
 * that use it include this file. Sizes and offsets are in bytes.
 */
#ifndef __CMA_DMA_TEST_H
#define __CMA_DMA_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DMA_TEST_NAME	"cma_test"
#define DMA_TEST_DEVICE	"/dev/" DMA_TEST_NAME

/* Context of a request. */
enum dma_test_context {
	DMA_TEST_KERNEL,	/* GFP_KERNEL: may sleep */
	DMA_TEST_NOWAIT,	/* GFP_NOWAIT, although it could sleep */
	DMA_TEST_ATOMIC,	/* GFP_ATOMIC, under a spinlock */
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

/* Functions of the DMA API that a buffer is allocated with. */
enum dma_test_kind {
	DMA_TEST_COHERENT,	/* dma_alloc_attrs() */
	DMA_TEST_PAGES,		/* dma_alloc_pages(), without attributes */
	DMA_TEST_NONCONTIGUOUS,	/* dma_alloc_noncontiguous(), without them */
	DMA_TEST_NR_KINDS,
};

/* Where the kernel's address of a buffer lies. */
enum dma_test_where {
	DMA_TEST_NOWHERE,	/* no mapping: DMA_TEST_NO_KERNEL_MAPPING */
	DMA_TEST_LINEAR,	/* in the kernel's linear mapping */
	DMA_TEST_REMAPPED,	/* in a mapping made for the buffer */
};

struct dma_test_alloc {
	__u64 size;
	__u32 context;
	__u32 attrs;
	__u64 dma_addr;		/* out */
	__u64 time_ns;		/* out: duration of the allocation */
	__u32 id;		/* out */
	__u32 where;		/* out: enum dma_test_where */
	__u32 kind;		/* in: enum dma_test_kind */
	__u32 pad;
};

struct dma_test_free {
	__u32 id;
	__u32 pad;
	__u64 time_ns;		/* out: duration of the free */
};

/* Properties of a buffer. */
#define DMA_TEST_CONTIGUOUS	0x01	/* page i is at dma_addr + i pages */
#define DMA_TEST_ZEROED		0x02	/* before the first write */
#define DMA_TEST_WRITABLE	0x04	/* reads return the data written */
#define DMA_TEST_UNCACHED	0x08	/* according to the page tables */
#define DMA_TEST_UNALIASED	0x10	/* no cached second mapping */

struct dma_test_check {
	__u32 id;
	__u32 tested;		/* out: properties that could be tested */
	__u32 found;		/* out: tested properties that the buffer has */
	__u32 pad;
};

struct dma_test_fill {
	__u32 id;
	__u32 seed;
	__u64 offset;		/* out: first word that differs */
};

/* Compares the caller's mapping of a page with the kernel's. */
struct dma_test_mapping {
	__u64 addr;		/* address in the caller's mapping */
	__u32 id;
	__u32 offset;		/* of that page in the buffer */
	__u32 user_type;	/* out: memory type in the page table entry */
	__u32 kernel_type;	/* out: memory type in the page table entry */
	__u32 same_page;	/* out: both entries map the same page */
	__u32 pad;
};

/* Context in which pages of an area are released. */
enum dma_test_release {
	DMA_TEST_LOCKED,	/* under a spinlock */
	DMA_TEST_LOCKED_IRQ,	/* under a spinlock with interrupts off */
	DMA_TEST_SOFTIRQ,	/* in a timer */
	DMA_TEST_HARDIRQ,	/* in an interrupt */
	DMA_TEST_NR_RELEASES,
};

/* Takes pages with cma_alloc() and releases them at once. */
struct dma_test_raw {
	__u64 nr_pages;
	__u32 release;
	__u32 pad;
	__u64 pfn;		/* out */
};

struct dma_test_use {
	char type[32];		/* type of the next buffers; "" for none */
};

/* Requests that memory outside the area may serve. */
enum dma_test_path {
	DMA_TEST_PATH_ARM,	/* small ones, when the area is full */
	DMA_TEST_PATH_GENERIC,	/* single pages; all, when the area is full */
};

struct dma_test_info {
	__u64 dma_mask;
	__u64 size;		/* of all buffers of this open file */
	__u32 nr_buffers;	/* of this open file */
	__u32 page_size;
	__u32 path;
	__u32 pad;
};

/*
 * ALLOC	-ENOMEM when the DMA API returns no buffer
 * FREE		-ENOENT for an unknown id, -EBUSY while mapped or in use
 * CHECK	overwrites the contents
 * VERIFY	-EILSEQ when the contents are not those of FILL with this seed
 * USE		sets the type of all buffers from now on, as
 *		dma_contiguous_request_begin() does; -ENOENT for an unknown type
 * MAPPING	-EOPNOTSUPP on architectures other than ARM
 * RAW		-ENODEV without an area, -ENOMEM when cma_alloc() fails
 *
 * The offset of mmap() is the id times the page size.
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
