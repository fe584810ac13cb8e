// SPDX-License-Identifier: GPL-2.0
/*
 * A board whose code declares its areas, without device tree or command line.
 *
 * The board has two memory banks. A video codec wants one type of buffer in
 * each bank. It also works, but slower, with both types in the first bank. An
 * exclusive area is set aside for its firmware. A camera is probed later and
 * shares the memory of the codec.
 *
 * The kernel finds the machine by its compatible string, "linux,cma-sample".
 * Otherwise it equals QEMU's "-M virt".
 */
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <asm/mach/arch.h>

#define BANK_A_BASE	0x44000000
#define BANK_B_BASE	0x48000000
#define BANK_SIZE	SZ_64M

static struct cma *bank_b_area;

/* Runs before the page allocator. The kernel logs what fails. */
static void __init cma_sample_reserve(void)
{
	/* A type tells the kernel where "cma_areas=banka/foo=8M" belongs. */
	static const struct dma_contiguous_area_desc bank_a __initconst = {
		.type	= "banka",
		.base	= BANK_A_BASE,
		.limit	= BANK_A_BASE + BANK_SIZE,
	};
	static const struct dma_contiguous_area_desc bank_b __initconst = {
		.type		= "bankb",
		.base		= BANK_B_BASE,
		.limit		= BANK_B_BASE + BANK_SIZE,
		.fallback	= true,
	};
	/* For the codec alone; the page allocator never uses it. */
	static const struct dma_contiguous_area_desc firmware __initconst = {
		.type		= "banka",
		.devices	= "codec",
		.size		= SZ_4M,
		.mode		= CMA_EXCLUSIVE,
	};
	/* For all devices that ask for this type. */
	static const struct dma_contiguous_area_desc frames __initconst = {
		.type		= "bankb",
		.size		= SZ_16M,
		.alignment	= SZ_4M,
	};

	dma_contiguous_define_type(&bank_a);
	dma_contiguous_define_type(&bank_b);
	dma_contiguous_declare(&firmware, NULL);
	dma_contiguous_declare(&frames, &bank_b_area);
}

/* Assigns an area to a device that is added later, or removed. */
static int cma_sample_notify(struct notifier_block *block, unsigned long event,
			     void *data)
{
	struct device *dev = data;

	if (!bank_b_area || strcmp(dev_name(dev), "sample-camera"))
		return NOTIFY_DONE;
	if (event == BUS_NOTIFY_ADD_DEVICE)
		dma_contiguous_assign(dev, bank_b_area, "frame");
	else if (event == BUS_NOTIFY_REMOVED_DEVICE)
		dma_contiguous_unassign(dev, bank_b_area);
	return NOTIFY_OK;
}

static struct notifier_block cma_sample_notifier = {
	.notifier_call = cma_sample_notify,
};

static void __init cma_sample_init(void)
{
	bus_register_notifier(&platform_bus_type, &cma_sample_notifier);
	of_platform_default_populate(NULL, NULL, NULL);
}

static const char * const cma_sample_compatible[] __initconst = {
	"linux,cma-sample",
	NULL
};

DT_MACHINE_START(CMA_SAMPLE, "Sample board with areas of its own")
	.dt_compat	= cma_sample_compatible,
	.reserve	= cma_sample_reserve,
	.init_machine	= cma_sample_init,
MACHINE_END
