// SPDX-License-Identifier: GPL-2.0
/*
 * DMA test driver: gives buffers of the DMA API to test programs.
 *
 * It stands for any driver that needs a large buffer, so it uses only the DMA
 * API. It also reads the page tables to check what the API promises. It makes a
 * device of its own and drives those of the device tree. See also dma_test.h.
 *
 * Units: bytes, unless a name says pfn.
 * Locks: dma_test_file.lock is never held across a call into the DMA API, so
 * the threads of a program allocate in parallel.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include "dma_test.h"
#include "dma_test_raw.h"
#include "dma_test_tables.h"

static_assert(DMA_TEST_ATTRS == (DMA_ATTR_WRITE_COMBINE | DMA_ATTR_NO_WARN |
				 DMA_ATTR_FORCE_CONTIGUOUS |
				 DMA_ATTR_ALLOC_SINGLE_PAGES |
				 DMA_ATTR_NO_KERNEL_MAPPING));

/* The id is the page offset of mmap(), which must fit into 32 bits. */
#define DMA_TEST_IDS	XA_LIMIT(1, SZ_1M)

struct dma_test_device {
	struct device *dev;
	struct miscdevice misc;
};

struct dma_test_file {
	struct device *dev;
	struct mutex lock;	/* protects bufs and their user counts */
	struct xarray bufs;	/* buffers of this file, by id */
	char type[32];		/* type of the next buffers; "" for none */
};

/**
 * struct dma_test_buf - a buffer
 * @file:	open file that owns it
 * @cpu:	the kernel's address, or the API's cookie without a mapping
 * @dma:	the device's address
 * @size:	requested bytes; the API allocates whole pages
 * @attrs:	DMA_ATTR_* of the request
 * @kind:	functions of the API that allocate and free it
 * @page:	for DMA_TEST_PAGES
 * @sgt:	for DMA_TEST_NONCONTIGUOUS
 * @users:	user mappings and running ioctls; the buffer is freed at 0 only
 * @written:	the contents are no longer those the API returned
 */
struct dma_test_buf {
	struct dma_test_file *file;
	void *cpu;
	dma_addr_t dma;
	size_t size;
	unsigned long attrs;
	enum dma_test_kind kind;
	union {
		struct page *page;
		struct sg_table *sgt;
	};
	unsigned int users;
	bool written;
};

static DEFINE_SPINLOCK(dma_test_atomic_lock); /* makes a context atomic */

#ifdef CONFIG_ARM
/* Returns the properties that one page of the buffer lacks. */
static u32 dma_test_page_faults(struct dma_test_buf *buf, size_t offset)
{
	unsigned long want_pfn = PHYS_PFN(buf->dma + offset);
	unsigned long addr = (unsigned long)buf->cpu + offset;
	pgprot_t prot = buf->attrs & DMA_ATTR_WRITE_COMBINE ?
			pgprot_writecombine(__pgprot(0)) :
			pgprot_dmacoherent(__pgprot(0));
	pteval_t want_type = pgprot_val(prot) & L_PTE_MT_MASK;
	unsigned long pfn;
	pteval_t type;
	u32 faults;

	/* A fault copies the entry of a vmalloc address into this table. */
	READ_ONCE(*(u8 *)addr);
	if (!dma_test_lookup(addr, &pfn, &type))
		return DMA_TEST_CONTIGUOUS | DMA_TEST_UNCACHED;
	/* The device's address is one of the IOMMU. */
	if (device_iommu_mapped(buf->file->dev))
		want_pfn = pfn;
	faults = (pfn != want_pfn ? DMA_TEST_CONTIGUOUS : 0) |
		 (type != want_type ? DMA_TEST_UNCACHED : 0);

	if (want_pfn < PHYS_PFN(__pa(high_memory - 1) + 1) &&
	    dma_test_lookup((unsigned long)__va(PFN_PHYS(want_pfn)), &pfn,
			    &type) &&
	    type != L_PTE_MT_BUFFERABLE && type != L_PTE_MT_UNCACHED)
		faults |= DMA_TEST_UNALIASED;
	return faults;
}

#define DMA_TEST_PAGE	(DMA_TEST_CONTIGUOUS | DMA_TEST_UNCACHED | \
			 DMA_TEST_UNALIASED)
#else
static u32 dma_test_page_faults(struct dma_test_buf *buf, size_t offset)
{
	void *addr = buf->cpu + offset;
	unsigned long pfn = is_vmalloc_addr(addr) ? vmalloc_to_pfn(addr) :
						    PHYS_PFN(virt_to_phys(addr));

	/* The device's address is one of the IOMMU. */
	if (device_iommu_mapped(buf->file->dev))
		return 0;
	return pfn == PHYS_PFN(buf->dma + offset) ? 0 : DMA_TEST_CONTIGUOUS;
}

#define DMA_TEST_PAGE	DMA_TEST_CONTIGUOUS
#endif

/* Buffers with different seeds have different words. */
static u32 dma_test_word(u32 seed, size_t index)
{
	return (seed * 0x9e3779b1) ^ index;
}

static void dma_test_fill(struct dma_test_buf *buf, u32 seed)
{
	u32 *words = buf->cpu;
	size_t i, nr_words = PAGE_ALIGN(buf->size) / sizeof(*words);

	buf->written = true;
	for (i = 0; i < nr_words; i++) {
		words[i] = dma_test_word(seed, i);
		if (!(i % SZ_256K))
			cond_resched();
	}
	mb(); /* drain the write buffer before others read */
}

/* Returns the first byte that differs, or the size when none does. */
static size_t dma_test_verify(struct dma_test_buf *buf, u32 seed)
{
	u32 *words = buf->cpu;
	size_t i, nr_words = PAGE_ALIGN(buf->size) / sizeof(*words);

	for (i = 0; i < nr_words; i++) {
		if (READ_ONCE(words[i]) != dma_test_word(seed, i))
			return i * sizeof(*words);
		if (!(i % SZ_256K))
			cond_resched();
	}
	return PAGE_ALIGN(buf->size);
}

static struct dma_test_buf *dma_test_get(struct dma_test_file *file, u32 id)
{
	struct dma_test_buf *buf;

	mutex_lock(&file->lock);
	buf = xa_load(&file->bufs, id);
	if (buf)
		buf->users++;
	mutex_unlock(&file->lock);
	return buf;
}

static void dma_test_count_user(struct dma_test_buf *buf, int change)
{
	struct dma_test_file *file = buf->file;

	mutex_lock(&file->lock);
	buf->users += change;
	mutex_unlock(&file->lock);
}

static u64 dma_test_call_free(struct dma_test_buf *buf)
{
	struct device *dev = buf->file->dev;
	u64 time_ns = ktime_get_ns();

	switch (buf->kind) {
	case DMA_TEST_PAGES:
		dma_free_pages(dev, buf->size, buf->page, buf->dma,
			       DMA_BIDIRECTIONAL);
		break;
	case DMA_TEST_NONCONTIGUOUS:
		dma_vunmap_noncontiguous(dev, buf->cpu);
		dma_free_noncontiguous(dev, buf->size, buf->sgt,
				       DMA_BIDIRECTIONAL);
		break;
	default:
		dma_free_attrs(dev, buf->size, buf->cpu, buf->dma, buf->attrs);
	}
	time_ns = ktime_get_ns() - time_ns;
	kfree(buf);
	return time_ns;
}

/* Devices of such buffers have no IOMMU, so the table has one entry. */
static void dma_test_call_noncontiguous(struct dma_test_buf *buf, gfp_t gfp)
{
	struct device *dev = buf->file->dev;

	buf->sgt = dma_alloc_noncontiguous(dev, buf->size, DMA_BIDIRECTIONAL,
					   gfp, 0);
	if (!buf->sgt)
		return;
	buf->dma = sg_dma_address(buf->sgt->sgl);
	buf->cpu = dma_vmap_noncontiguous(dev, buf->size, buf->sgt);
	if (!buf->cpu)
		dma_free_noncontiguous(dev, buf->size, buf->sgt,
				       DMA_BIDIRECTIONAL);
}

static u64 dma_test_call_alloc(struct dma_test_buf *buf, gfp_t gfp)
{
	struct device *dev = buf->file->dev;
	u64 time_ns = ktime_get_ns();

	switch (buf->kind) {
	case DMA_TEST_PAGES:
		buf->page = dma_alloc_pages(dev, buf->size, &buf->dma,
					    DMA_BIDIRECTIONAL, gfp);
		buf->cpu = buf->page ? page_address(buf->page) : NULL;
		break;
	case DMA_TEST_NONCONTIGUOUS:
		dma_test_call_noncontiguous(buf, gfp);
		break;
	default:
		buf->cpu = dma_alloc_attrs(dev, buf->size, &buf->dma, gfp,
					   buf->attrs);
	}
	return ktime_get_ns() - time_ns;
}

#ifdef _LINUX_DMA_CONTIGUOUS_H
static u64 dma_test_alloc_typed(struct dma_test_buf *buf, gfp_t gfp)
{
	struct dma_test_file *file = buf->file;
	struct dma_contiguous_request request;
	u64 time_ns;

	if (!file->type[0])
		return dma_test_call_alloc(buf, gfp);
	if (dma_contiguous_request_begin(&request, file->dev, file->type))
		return 0;
	time_ns = dma_test_call_alloc(buf, gfp);
	dma_contiguous_request_end(&request);
	return time_ns;
}

static int dma_test_ioc_use(struct dma_test_file *file,
			    struct dma_test_use *arg)
{
	struct dma_contiguous_request request;
	int err = 0;

	arg->type[sizeof(arg->type) - 1] = 0;
	if (arg->type[0]) {
		err = dma_contiguous_request_begin(&request, file->dev,
						   arg->type);
		if (!err)
			dma_contiguous_request_end(&request);
	}
	if (!err)
		strscpy(file->type, arg->type);
	return err;
}
#else
#define dma_test_alloc_typed	dma_test_call_alloc

static int dma_test_ioc_use(struct dma_test_file *file,
			    struct dma_test_use *arg)
{
	return -EOPNOTSUPP;
}
#endif

static int dma_test_ioc_alloc(struct dma_test_file *file,
			      struct dma_test_alloc *arg)
{
	gfp_t gfp = arg->context == DMA_TEST_KERNEL ? GFP_KERNEL : GFP_NOWAIT;
	struct dma_test_buf *buf;
	int err;

	if (!arg->size || arg->size > SIZE_MAX - PAGE_SIZE ||
	    arg->context >= DMA_TEST_NR_CONTEXTS ||
	    arg->kind >= DMA_TEST_NR_KINDS || arg->attrs & ~DMA_TEST_ATTRS ||
	    (arg->kind != DMA_TEST_COHERENT && arg->attrs))
		return -EINVAL;

	buf = kzalloc(sizeof(*buf), GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	buf->file = file;
	buf->size = arg->size;
	buf->attrs = arg->attrs;
	buf->kind = arg->kind;

	if (arg->context == DMA_TEST_ATOMIC) {
		spin_lock(&dma_test_atomic_lock);
		arg->time_ns = dma_test_alloc_typed(buf, GFP_ATOMIC);
		spin_unlock(&dma_test_atomic_lock);
	} else {
		arg->time_ns = dma_test_alloc_typed(buf, gfp);
	}
	if (!buf->cpu) {
		kfree(buf);
		return -ENOMEM;
	}
	arg->dma_addr = buf->dma;
	arg->where = arg->attrs & DMA_TEST_NO_KERNEL_MAPPING ?
		     DMA_TEST_NOWHERE : is_vmalloc_addr(buf->cpu) ?
		     DMA_TEST_REMAPPED : DMA_TEST_LINEAR;

	/* Must be the last step: another thread may free the buffer now. */
	mutex_lock(&file->lock);
	err = xa_alloc(&file->bufs, &arg->id, buf, DMA_TEST_IDS, GFP_KERNEL);
	mutex_unlock(&file->lock);
	if (err)
		dma_test_call_free(buf);
	return err;
}

static int dma_test_ioc_free(struct dma_test_file *file,
			     struct dma_test_free *arg)
{
	struct dma_test_buf *buf;
	int err = 0;

	mutex_lock(&file->lock);
	buf = xa_load(&file->bufs, arg->id);
	if (!buf)
		err = -ENOENT;
	else if (buf->users)
		err = -EBUSY;
	else
		xa_erase(&file->bufs, arg->id);
	mutex_unlock(&file->lock);

	if (!err)
		arg->time_ns = dma_test_call_free(buf);
	return err;
}

static void dma_test_ioc_check(struct dma_test_buf *buf,
			       struct dma_test_check *arg)
{
	size_t offset, size = PAGE_ALIGN(buf->size);
	u32 faults = 0;

	for (offset = 0; offset < size; offset += PAGE_SIZE)
		faults |= dma_test_page_faults(buf, offset);
	arg->tested = DMA_TEST_PAGE | DMA_TEST_WRITABLE;
	/* A device that snoops the caches needs no uncached mapping. */
	if (dev_is_dma_coherent(buf->file->dev))
		arg->tested &= ~(DMA_TEST_UNCACHED | DMA_TEST_UNALIASED);
	if (!buf->written) {
		arg->tested |= DMA_TEST_ZEROED;
		if (memchr_inv(buf->cpu, 0, size))
			faults |= DMA_TEST_ZEROED;
	}

	/* The second pass is inverted, so that every bit is both 0 and 1. */
	dma_test_fill(buf, arg->id);
	if (dma_test_verify(buf, arg->id) != size)
		faults |= DMA_TEST_WRITABLE;
	dma_test_fill(buf, ~arg->id);
	if (dma_test_verify(buf, ~arg->id) != size)
		faults |= DMA_TEST_WRITABLE;

	arg->found = arg->tested & ~faults;
}

static int dma_test_ioc_mapping(struct dma_test_buf *buf,
				struct dma_test_mapping *arg)
{
	if (arg->offset >= PAGE_ALIGN(buf->size))
		return -EINVAL;
	return dma_test_compare((unsigned long)buf->cpu + arg->offset, arg);
}

static void dma_test_ioc_info(struct dma_test_file *file,
			      struct dma_test_info *arg)
{
	struct dma_test_buf *buf;
	unsigned long id;

	memset(arg, 0, sizeof(*arg));
	arg->dma_mask = file->dev->coherent_dma_mask;
	arg->page_size = PAGE_SIZE;
	arg->path = IS_ENABLED(CONFIG_ARM) ? DMA_TEST_PATH_ARM :
					     DMA_TEST_PATH_GENERIC;
	mutex_lock(&file->lock);
	xa_for_each(&file->bufs, id, buf) {
		arg->nr_buffers++;
		arg->size += buf->size;
	}
	mutex_unlock(&file->lock);
}

/* Runs a command that reads or changes the contents of a buffer. */
static int dma_test_contents(struct dma_test_file *file, unsigned int cmd,
			     u32 id, void *arg)
{
	struct dma_test_buf *buf = dma_test_get(file, id);
	struct dma_test_fill *fill = arg;
	int err = 0;

	if (!buf)
		return -ENOENT;

	if (buf->attrs & DMA_ATTR_NO_KERNEL_MAPPING) {
		err = -EOPNOTSUPP;
	} else if (cmd == DMA_TEST_IOC_CHECK) {
		dma_test_ioc_check(buf, arg);
	} else if (cmd == DMA_TEST_IOC_MAPPING) {
		err = dma_test_ioc_mapping(buf, arg);
	} else if (cmd == DMA_TEST_IOC_FILL) {
		dma_test_fill(buf, fill->seed);
	} else {
		fill->offset = dma_test_verify(buf, fill->seed);
		if (fill->offset != PAGE_ALIGN(buf->size))
			err = -EILSEQ;
	}
	dma_test_count_user(buf, -1);
	return err;
}

static long dma_test_ioctl(struct file *f, unsigned int cmd,
			   unsigned long uarg)
{
	struct dma_test_file *file = f->private_data;
	void __user *user = (void __user *)uarg;
	union {
		struct dma_test_alloc alloc;
		struct dma_test_free free;
		struct dma_test_check check;
		struct dma_test_fill fill;
		struct dma_test_info info;
		struct dma_test_use use;
		struct dma_test_mapping mapping;
		struct dma_test_raw raw;
	} arg;
	int err = 0;

	if (_IOC_SIZE(cmd) > sizeof(arg))
		return -ENOTTY;
	if (_IOC_DIR(cmd) & _IOC_WRITE &&
	    copy_from_user(&arg, user, _IOC_SIZE(cmd)))
		return -EFAULT;

	switch (cmd) {
	case DMA_TEST_IOC_ALLOC:
		err = dma_test_ioc_alloc(file, &arg.alloc);
		break;
	case DMA_TEST_IOC_FREE:
		err = dma_test_ioc_free(file, &arg.free);
		break;
	case DMA_TEST_IOC_CHECK:
		err = dma_test_contents(file, cmd, arg.check.id, &arg.check);
		break;
	case DMA_TEST_IOC_FILL:
	case DMA_TEST_IOC_VERIFY:
		err = dma_test_contents(file, cmd, arg.fill.id, &arg.fill);
		break;
	case DMA_TEST_IOC_MAPPING:
		err = dma_test_contents(file, cmd, arg.mapping.id,
					&arg.mapping);
		break;
	case DMA_TEST_IOC_RAW:
		err = dma_test_ioc_raw(file->dev, &arg.raw);
		break;
	case DMA_TEST_IOC_INFO:
		dma_test_ioc_info(file, &arg.info);
		break;
	case DMA_TEST_IOC_USE:
		return dma_test_ioc_use(file, &arg.use);
	default:
		return -ENOTTY;
	}

	/* A failed ALLOC returns its duration, a failed VERIFY the offset. */
	if (copy_to_user(user, &arg, _IOC_SIZE(cmd)))
		return -EFAULT;
	return err;
}

static void dma_test_vm_open(struct vm_area_struct *vma)
{
	dma_test_count_user(vma->vm_private_data, 1);
}

static void dma_test_vm_close(struct vm_area_struct *vma)
{
	dma_test_count_user(vma->vm_private_data, -1);
}

static const struct vm_operations_struct dma_test_vm_ops = {
	.open = dma_test_vm_open,
	.close = dma_test_vm_close,
};

static int dma_test_call_mmap(struct dma_test_buf *buf,
			      struct vm_area_struct *vma)
{
	struct device *dev = buf->file->dev;

	switch (buf->kind) {
	case DMA_TEST_PAGES:
		return dma_mmap_pages(dev, vma, buf->size, buf->page);
	case DMA_TEST_NONCONTIGUOUS:
		return dma_mmap_noncontiguous(dev, vma, buf->size, buf->sgt);
	default:
		return dma_mmap_attrs(dev, vma, buf->cpu, buf->dma, buf->size,
				      buf->attrs);
	}
}

static int dma_test_mmap(struct file *f, struct vm_area_struct *vma)
{
	struct dma_test_buf *buf = dma_test_get(f->private_data,
						vma->vm_pgoff);
	int err;

	if (!buf)
		return -ENOENT;
	vma->vm_pgoff = 0;
	err = dma_test_call_mmap(buf, vma);
	if (err) {
		dma_test_count_user(buf, -1);
		return err;
	}
	buf->written = true;
	vma->vm_private_data = buf;
	vma->vm_ops = &dma_test_vm_ops;
	return 0;
}

/* misc_open() leaves the misc device in private_data. */
static int dma_test_open(struct inode *inode, struct file *f)
{
	struct dma_test_device *test = container_of(f->private_data,
						    struct dma_test_device,
						    misc);
	struct dma_test_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return -ENOMEM;
	file->dev = test->dev;
	mutex_init(&file->lock);
	xa_init_flags(&file->bufs, XA_FLAGS_ALLOC1);
	f->private_data = file;
	return 0;
}

static int dma_test_release(struct inode *inode, struct file *f)
{
	struct dma_test_file *file = f->private_data;
	struct dma_test_buf *buf;
	unsigned long id;

	xa_for_each(&file->bufs, id, buf)
		dma_test_call_free(buf);
	xa_destroy(&file->bufs);
	mutex_destroy(&file->lock);
	kfree(file);
	return 0;
}

static const struct file_operations dma_test_fops = {
	.owner = THIS_MODULE,
	.open = dma_test_open,
	.release = dma_test_release,
	.unlocked_ioctl = dma_test_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = dma_test_mmap,
};

/*
 * The driver's own device is /dev/cma_test. A device of the device tree is
 * named after its node: /dev/cma_test.<device>.
 */
static int dma_test_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct dma_test_device *test = devm_kzalloc(dev, sizeof(*test),
						    GFP_KERNEL);
	u32 bits;
	int err;

	if (!test)
		return -ENOMEM;
	test->dev = dev;
	dma_set_max_seg_size(dev, UINT_MAX);
	/* Bits of a DMA address; 32 by default. */
	if (!device_property_read_u32(dev, "test,dma-bits", &bits)) {
		err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(bits));
		if (err)
			return err;
	}
	/* Memory of its own outside of all areas, as a co-processor has it. */
	if (device_property_present(dev, "test,own-memory")) {
		err = of_reserved_mem_device_init(dev);
		if (err)
			return err;
	}
	test->misc.minor = MISC_DYNAMIC_MINOR;
	test->misc.fops = &dma_test_fops;
	test->misc.mode = 0600;
	test->misc.parent = dev;
	test->misc.name = dev_of_node(dev) ?
			  devm_kasprintf(dev, GFP_KERNEL, DMA_TEST_NAME ".%s",
					 dev_name(dev)) : DMA_TEST_NAME;
	if (!test->misc.name)
		return -ENOMEM;
	platform_set_drvdata(pdev, test);
	return misc_register(&test->misc);
}

static void dma_test_remove(struct platform_device *pdev)
{
	struct dma_test_device *test = platform_get_drvdata(pdev);

	misc_deregister(&test->misc);
	of_reserved_mem_device_release(&pdev->dev);
}

static const struct of_device_id dma_test_of_match[] = {
	{ .compatible = "test,cma-dma-test" },
	{ }
};
MODULE_DEVICE_TABLE(of, dma_test_of_match);

/* Open files may outlast the driver's binding: they need the device only. */
static struct platform_driver dma_test_driver = {
	.probe = dma_test_probe,
	.remove = dma_test_remove,
	.driver = {
		.name = DMA_TEST_NAME,
		.of_match_table = dma_test_of_match,
	},
};

static struct platform_device *dma_test_pdev;

static unsigned int dma_bits = 32;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits, "Bits of the device's DMA addresses (32)");

static int node = NUMA_NO_NODE;
module_param(node, int, 0444);
MODULE_PARM_DESC(node, "NUMA node of the device (none)");

static int __init dma_test_init(void)
{
	const struct platform_device_info info = {
		.name = DMA_TEST_NAME,
		.id = PLATFORM_DEVID_NONE,
		.dma_mask = DMA_BIT_MASK(clamp(dma_bits, 1U, 64U)),
	};
	int err = platform_driver_register(&dma_test_driver);

	if (err)
		return err;
	dma_test_pdev = platform_device_register_full(&info);
	if (IS_ERR(dma_test_pdev)) {
		platform_driver_unregister(&dma_test_driver);
		return PTR_ERR(dma_test_pdev);
	}
	set_dev_node(&dma_test_pdev->dev, node);
	return 0;
}

static void __exit dma_test_exit(void)
{
	platform_device_unregister(dma_test_pdev);
	platform_driver_unregister(&dma_test_driver);
}

module_init(dma_test_init);
module_exit(dma_test_exit);
MODULE_DESCRIPTION("Gives DMA buffers to test programs");
MODULE_LICENSE("GPL");
