// SPDX-License-Identifier: GPL-2.0
/*
 * A board whose code declares its areas: no device tree node, no command line.
 *
 * The board has two memory banks. A video codec wants one kind of buffer in
 * each, and works, if slower, when the second kind lies in the first bank, too.
 * Its firmware has a small place of its own that is always there. A camera is
 * probed later and shares the memory of the codec.
 *
 * The machine is found by its compatible string, "linux,cma-sample". It is the
 * one that QEMU makes with "-M virt" otherwise.
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

/* Before the page allocator runs. What goes wrong is in the log. */
static void __init sample_reserve(void)
{
	/* What banks there are; "cma_areas=banka/foo=8M" finds its place. */
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
	/* For the codec alone, and never in anybody's way. */
	static const struct dma_contiguous_area_desc firmware __initconst = {
		.type		= "banka",
		.devices	= "codec",
		.size		= SZ_4M,
		.mode		= CMA_EXCLUSIVE,
	};
	/* For all who ask for the type. */
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

/* Any time later: a device that comes and goes gets an area, too. */
static int sample_add_device(struct notifier_block *block, unsigned long event,
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

static struct notifier_block sample_devices = {
	.notifier_call = sample_add_device,
};

static void __init sample_init(void)
{
	bus_register_notifier(&platform_bus_type, &sample_devices);
	of_platform_default_populate(NULL, NULL, NULL);
}

static const char * const sample_compatible[] __initconst = {
	"linux,cma-sample",
	NULL
};

DT_MACHINE_START(CMA_SAMPLE, "Sample board with areas of its own")
	.dt_compat	= sample_compatible,
	.reserve	= sample_reserve,
	.init_machine	= sample_init,
MACHINE_END
