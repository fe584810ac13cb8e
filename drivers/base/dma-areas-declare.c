// SPDX-License-Identifier: GPL-2.0
/*
 * Declaring areas for DMA: the default one, and those of board code.
 *
 * The default area is settled by "cma=", by the device tree, by "cma_areas=" or
 * by the kernel configuration, in this order. One that cannot be had leaves the
 * place to the next.
 *
 * Board code declares its areas before the device tree's reserved memory is
 * known. So they are kept in a queue until dma_contiguous_reserve(), where those
 * with an address come first.
 *
 * No locks: boot only. Sizes are bytes.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/cma.h>
#include <linux/ctype.h>
#include <linux/dma-map-ops.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/numa.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <asm/setup.h>

#include "../../mm/cma/parse.h"
#include "dma-areas.h"

struct cma *dma_contiguous_default_area;

/* "cma=": cleared when it is settled, as area or as refused. */
static struct cma_spec cmdline_area __initdata;
static bool cmdline_has_area __ro_after_init;
static bool default_is_from_cmdline __ro_after_init;

/* The common area of the type "dma", of whatever form. */
static struct cma *type_dma_area __initdata;

static int __init parse_cma_option(char *text)
{
	const char *wrong;

	wrong = text ? cma_parse_spec(text, &cmdline_area) : "a size is missing";
	if (wrong) {
		pr_err("\"cma=%s\" ignored: %s\n", text ?: "", wrong);
		return 0;
	}
	if (*cmdline_area.rest)
		pr_warn("\"cma=%s\": \"%s\" at its end ignored\n", text,
			cmdline_area.rest);
	cmdline_has_area = true;
	return 0;
}
early_param("cma", parse_cma_option);

/* "@base" is an address; "@base-limit" is one only if it fits tightly. */
static bool __init has_address(const struct cma_spec *spec)
{
	return spec->has_base &&
	       (!spec->has_limit || spec->limit - spec->base == spec->size);
}

/**
 * dma_areas_default_on_cmdline() - does the command line have "cma="
 *
 * Context: Any.
 * Return: true if so, and it was not refused; it stands above the device tree.
 */
bool dma_areas_default_on_cmdline(void)
{
	return cmdline_has_area || default_is_from_cmdline;
}

/**
 * dma_areas_set_default() - make an area the default one
 * @cma:	the area
 *
 * Context: Boot.
 * Return: true; false if there is one already, which stays.
 */
bool __init dma_areas_set_default(struct cma *cma)
{
	if (dma_contiguous_default_area)
		return false;
	dma_contiguous_default_area = cma;
	cma_set_users(cma, CMA_FOR_ALL, NULL);
	return true;
}

/**
 * dma_areas_note_addresses() - keep other areas away from addresses that are said
 *
 * Areas of the device tree come before those of the command line and of board
 * code, but where the kernel has the choice it leaves those alone.
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_areas_note_addresses(void)
{
	if (cmdline_has_area && has_address(&cmdline_area))
		cma_claim_memory(cmdline_area.base, cmdline_area.size, "cma=",
				 true);
	dma_areas_note_cmdline();
}

/**
 * dma_contiguous_reserve_area() - reserve an area for DMA
 * @size:	bytes
 * @base:	lowest physical address; the address if @fixed
 * @limit:	first physical address behind the area, 0 for the end of memory
 * @res_cma:	the area
 * @fixed:	at @base or not at all
 *
 * For board code, too: dma_contiguous_assign() gives it to a device. There is
 * more choice with dma_contiguous_declare().
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0, or the error of cma_declare_mode().
 */
int __init dma_contiguous_reserve_area(phys_addr_t size, phys_addr_t base,
				       phys_addr_t limit, struct cma **res_cma,
				       bool fixed)
{
	dma_areas_note_board();
	return cma_declare_contiguous(base, size, limit, 0, 0, fixed,
				      "reserved", res_cma);
}

#ifdef CONFIG_CMA_SIZE_MBYTES
#define CONFIGURED_SIZE		((phys_addr_t)CONFIG_CMA_SIZE_MBYTES * SZ_1M)
#else
#define CONFIGURED_SIZE		((phys_addr_t)0)
#endif

#ifdef CONFIG_CMA_SIZE_PERCENTAGE
#define CONFIGURED_PERCENT	CONFIG_CMA_SIZE_PERCENTAGE
#else
#define CONFIGURED_PERCENT	0
#endif

static phys_addr_t __init configured_size(void)
{
	phys_addr_t share = memblock_phys_mem_size() / 100 * CONFIGURED_PERCENT;

	if (IS_ENABLED(CONFIG_CMA_SIZE_SEL_PERCENTAGE))
		return share;
	if (IS_ENABLED(CONFIG_CMA_SIZE_SEL_MIN))
		return min(CONFIGURED_SIZE, share);
	if (IS_ENABLED(CONFIG_CMA_SIZE_SEL_MAX))
		return max(CONFIGURED_SIZE, share);
	return CONFIGURED_SIZE;
}

/**
 * dma_areas_limit() - where an area ends at most unless an address is said
 * @addr_limit:	first physical address that devices in general cannot reach,
 *		0 if there is no such limit
 *
 * Without a word from the hardware devices reach 32 bits, and more physical
 * memory than that does not change it.
 *
 * Context: Boot.
 * Return: first physical address behind, 0 for the end of memory.
 */
phys_addr_t __init dma_areas_limit(phys_addr_t addr_limit)
{
#ifdef CONFIG_ARM_LPAE
	if (memblock_start_of_DRAM() < SZ_4G)
		return min_not_zero(addr_limit, (phys_addr_t)SZ_4G);
#endif
	return addr_limit;
}

/**
 * dma_area_set_policy() - do with an area what "cma_areas=" says of it
 * @cma:	the area, which is declared elsewhere
 *
 * Context: Boot, while memblock hands out memory.
 * Return: what it says, for those who know the devices of the area.
 */
struct dma_area_policy __init dma_area_set_policy(struct cma *cma)
{
	struct dma_area_policy policy = dma_area_policy(cma_get_name(cma));

	if (policy.exclusive)
		cma_set_mode(cma, CMA_EXCLUSIVE);
	if (policy.first_fit)
		cma_set_fit(cma, "first");
	if (policy.heap)
		cma_set_heap(cma);
	return policy;
}

static int __init declare_default(struct cma_area_desc *desc,
				  const char *source)
{
	struct cma *cma;
	int error;

	desc->name = "reserved";
	desc->nid = NUMA_NO_NODE;
	cma_areas_open_last();
	error = cma_declare(desc, &cma);
	if (error) {
		cma_areas_close_last();
		return error;
	}
	cma_set_source(cma, source);
	dma_area_set_policy(cma);
	dma_areas_set_default(cma);
	return 0;
}

/* Refused or not, what comes later goes by what is there now. */
static void __init declare_from_cmdline(phys_addr_t addr_limit)
{
	const struct cma_spec *spec = &cmdline_area;
	struct cma_area_desc desc = {
		.base	= spec->base,
		.size	= spec->size,
		.limit	= spec->limit,
		.fixed	= has_address(spec),
	};

	cma_withdraw_claims("cma=");
	cmdline_has_area = false;
	if (spec->has_limit && !desc.fixed)
		desc.limit = min_not_zero(spec->limit, addr_limit);
	else if (!spec->has_base)
		desc.limit = dma_areas_limit(addr_limit);
	if (!spec->size || !declare_default(&desc, "the command line"))
		default_is_from_cmdline = true;
}

/* Nobody counts on a certain size, so less of it does as well. */
static void __init declare_configured(phys_addr_t addr_limit)
{
	struct cma_area_desc desc = {
		.size	= configured_size(),
		.limit	= dma_areas_limit(addr_limit),
		.quiet	= true,
	};
	phys_addr_t wanted = desc.size;

	while (desc.size && declare_default(&desc, "the configuration")) {
		desc.size = PAGE_ALIGN(desc.size / 2);
		if (desc.size < CMA_MIN_ALIGNMENT_BYTES) {
			pr_err("no room for a default area of %pa bytes\n",
			       &wanted);
			return;
		}
	}
	if (desc.size < wanted)
		pr_warn("reserved: no room for %pa bytes, %pa have to do\n",
			&wanted, &desc.size);
}

/* Board code's memory types, for what is declared of them later. */
static struct dma_contiguous_area_desc types[8] __initdata;
static unsigned int nr_types __initdata;

/**
 * dma_contiguous_define_type() - tell of a memory type that a board has
 * @type:	->type is its name, ->base, ->limit and ->alignment are where it
 *		is, ->fallback is whether other memory does; the rest is not used
 *
 * Nothing is reserved. Areas of this type, on the command line for instance, are
 * where it is unless they say otherwise.
 *
 * Context: Boot, before dma_contiguous_reserve(): from ->reserve() of a board.
 * Return: 0; -ENOSPC if there are 8 already.
 */
int __init dma_contiguous_define_type(const struct dma_contiguous_area_desc *type)
{
	if (nr_types == ARRAY_SIZE(types)) {
		pr_err("%s: more than %zu memory types\n", type->type,
		       ARRAY_SIZE(types));
		return -ENOSPC;
	}
	types[nr_types++] = *type;
	/* So that drivers may ask for it, whether there is an area or not. */
	if (type->fallback)
		return dma_area_register(NULL, type->type, NULL, true);
	return 0;
}

static void __init inherit_type(struct dma_contiguous_area_desc *area)
{
	for (unsigned int i = 0; i < nr_types; i++) {
		const struct dma_contiguous_area_desc *type = &types[i];

		if (strcmp(type->type, area->type))
			continue;
		if (!area->base && !area->fixed) {
			area->base = type->base;
			area->limit = min_not_zero(area->limit, type->limit);
		}
		area->alignment = max(area->alignment, type->alignment);
		area->fallback |= type->fallback;
	}
}

/**
 * dma_areas_keep_string() - copy a string for good
 * @text:	the string
 *
 * Areas stay for ever, so what they are called does. What memblock hands out is
 * not mapped yet. There is room for all that the command line can say.
 *
 * Context: Boot.
 * Return: the copy; NULL if there is no room for it, and the log says so.
 */
const char * __init dma_areas_keep_string(const char *text)
{
	static char kept[COMMAND_LINE_SIZE + SZ_2K];
	static size_t used;
	size_t size = strlen(text) + 1;
	char *copy = kept + used;

	if (size > sizeof(kept) - used) {
		pr_err("%s: no room for more names\n", text);
		return NULL;
	}
	used += size;
	return memcpy(copy, text, size);
}

/**
 * struct queued_area - an area of board code that is not placed yet
 * @area:	what it is to be
 * @res_cma:	where the board wants to find it, or NULL
 */
struct queued_area {
	struct dma_contiguous_area_desc area;
	struct cma **res_cma;
};

static struct queued_area queue[MAX_CMA_AREAS] __initdata;
static unsigned int nr_queued __initdata;
static bool queue_is_closed __initdata;

/* Files are named after areas. Globs and lists of devices are no names. */
static void __init name_declared(const struct dma_contiguous_area_desc *area,
				 char *name, size_t size)
{
	int length = snprintf(name, size, "%s%s%s", area->type,
			      area->devices ? "-" : "", area->devices ?: "");
	char *end = name;

	length = min_t(int, length, size - 1);
	for (int i = 0; i < length; i++) {
		bool fits = isalnum(name[i]) || strchr("._@+", name[i]);

		if (fits)
			*end++ = name[i];
		else if (end > name && end[-1] != '-')
			*end++ = '-';
	}
	if (end > name && end[-1] == '-')
		end--;
	*end = 0;
	/* Board code may say anything. */
	if (end == name)
		strscpy(name, "area", size);
}

static int __init reserve_declared(const struct dma_contiguous_area_desc *area,
				   const char *name, phys_addr_t addr_limit,
				   const char *source, struct cma **cma)
{
	struct cma_area_desc desc = {
		.base		= area->base,
		.size		= area->size,
		.limit		= area->limit,
		.alignment	= area->alignment,
		.fixed		= area->fixed,
		.mode		= area->mode,
		.name		= name,
		.nid		= NUMA_NO_NODE,
	};
	int error;

	/* In reach of devices if there is room, anywhere if not. */
	if (!area->fixed && !area->base && !area->limit) {
		desc.limit = dma_areas_limit(addr_limit);
		desc.quiet = desc.limit != addr_limit;
	}
	error = cma_declare(&desc, cma);
	if (error && desc.quiet) {
		desc.limit = addr_limit;
		desc.quiet = false;
		error = cma_declare(&desc, cma);
	}
	if (error)
		return error;
	cma_set_users(*cma, area->devices ? CMA_FOR_DEVICES : CMA_FOR_TYPE,
		      area->devices);
	cma_set_source(*cma, source);
	if (area->heap)
		cma_set_heap(*cma);
	/* No reason to go without the area. */
	if (area->fit && cma_set_fit(*cma, area->fit))
		pr_err("%s: fit \"%s\" ignored, best or first expected\n", name,
		       area->fit);
	dma_area_set_policy(*cma);
	return 0;
}

/**
 * dma_area_declare_lost() - tell of an area of devices that cannot be had
 * @type:	its memory type; copied
 * @devices:	names of devices or drivers; copied
 * @fallback:	other memory does as well; otherwise they get none
 *
 * Context: Boot.
 */
void __init dma_area_declare_lost(const char *type, const char *devices,
				  bool fallback)
{
	type = dma_areas_keep_string(type);
	devices = dma_areas_keep_string(devices);
	if (type && devices)
		dma_area_register(NULL, type, devices, fallback);
}

/**
 * dma_areas_declare() - reserve an area for those who it is for
 * @wanted:	what it is to be; its strings stay
 * @addr_limit:	first physical address that devices in general cannot reach,
 *		0 if there is no such limit
 * @source:	who wished for it, in words
 * @res_cma:	set to the area, NULL if there is none; may be NULL
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0, or the error of cma_declare() or of dma_area_register(). The log
 * says what was wrong.
 */
int __init dma_areas_declare(struct dma_contiguous_area_desc *wanted,
			     phys_addr_t addr_limit, const char *source,
			     struct cma **res_cma)
{
	char name[CMA_MAX_NAME];
	struct cma *cma = NULL;
	int error = 0;

	inherit_type(wanted);
	name_declared(wanted, name, sizeof(name));
	wanted->fallback |= dma_area_policy(name).fallback;
	if (wanted->size)
		error = reserve_declared(wanted, name, addr_limit, source,
					 &cma);
	if (error) {
		/* Its devices must not take from elsewhere instead. */
		dma_area_register(NULL, wanted->type, wanted->devices,
				  wanted->fallback);
		return error;
	}

	if (cma && !wanted->devices && !strcmp(wanted->type, "dma") &&
	    !type_dma_area)
		type_dma_area = cma;
	if (res_cma)
		*res_cma = cma;
	return dma_area_register(cma, wanted->type, wanted->devices,
				 wanted->fallback);
}

static int __init place_one(struct queued_area *queued, phys_addr_t addr_limit)
{
	return dma_areas_declare(&queued->area, addr_limit, "board code",
				 queued->res_cma);
}

static void __init place_queued(phys_addr_t addr_limit, bool fixed)
{
	queue_is_closed = true;
	for (unsigned int i = 0; i < nr_queued; i++)
		if (queue[i].area.fixed == fixed)
			place_one(&queue[i], addr_limit);
}

/**
 * dma_areas_keep_strings() - make the strings of an area its own
 * @area:	what it is to be
 *
 * Context: Boot.
 * Return: 0; -ENOMEM if there is no room for them, and the log says so.
 */
int __init dma_areas_keep_strings(struct dma_contiguous_area_desc *area)
{
	area->type = dma_areas_keep_string(area->type);
	if (!area->type)
		return -ENOMEM;
	if (!area->devices)
		return 0;
	area->devices = dma_areas_keep_string(area->devices);
	return area->devices ? 0 : -ENOMEM;
}

/**
 * dma_contiguous_declare() - ask for an area for those who it is for
 * @area:	what it is to be
 * @res_cma:	set to the area once it is reserved; stays NULL if it cannot be,
 *		or has no size. May be NULL
 *
 * Areas are reserved in dma_contiguous_reserve(), when all is known that the
 * board says of its memory: those with an address first. The common area of
 * the type "dma" is the default area, if there is no other.
 *
 * Context: Boot, while memblock hands out memory: from ->reserve() of a board.
 * Return: 0; -ENOMEM if there is no room for its name; -ENOSPC if there are
 * CONFIG_CMA_AREAS areas already. The log says what was wrong, now or later.
 */
int __init dma_contiguous_declare(const struct dma_contiguous_area_desc *area,
				  struct cma **res_cma)
{
	struct queued_area new = { *area, res_cma };
	int error;

	if (res_cma)
		*res_cma = NULL;
	error = dma_areas_keep_strings(&new.area);
	if (error)
		return error;
	if (queue_is_closed)
		return place_one(&new, 0);
	if (nr_queued == ARRAY_SIZE(queue)) {
		pr_err("%s: more than %zu areas in board code, see CONFIG_CMA_AREAS\n",
		       area->type, ARRAY_SIZE(queue));
		/* Its devices must not take from elsewhere instead. */
		if (new.area.devices)
			dma_area_register(NULL, new.area.type,
					  new.area.devices, area->fallback);
		return -ENOSPC;
	}
	dma_areas_note_board();
	if (new.area.fixed)
		cma_claim_memory(area->base, area->size, "board code", true);
	queue[nr_queued++] = new;
	return 0;
}

/**
 * dma_areas_reserve_addresses() - reserve the areas whose address is said
 * @addr_limit:	first physical address that devices in general cannot reach,
 *		0 if there is no such limit
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_areas_reserve_addresses(phys_addr_t addr_limit)
{
	dma_areas_note_board();
	if (cmdline_has_area && has_address(&cmdline_area))
		declare_from_cmdline(addr_limit);
	cma_withdraw_claims("board code");
	place_queued(addr_limit, true);
	cma_withdraw_claims("cma_areas=");
	dma_areas_reserve_cmdline(addr_limit, true);
}

/**
 * dma_areas_reserve_others() - reserve the areas whose place the kernel chooses,
 * but for the default area
 * @addr_limit:	as for dma_areas_reserve_addresses()
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_areas_reserve_others(phys_addr_t addr_limit)
{
	place_queued(addr_limit, false);
	dma_areas_reserve_cmdline(addr_limit, false);
}

/**
 * dma_areas_reserve_default() - reserve the default area, unless there is one
 * @addr_limit:	as for dma_areas_reserve_addresses()
 *
 * Context: Boot, while memblock hands out memory.
 */
void __init dma_areas_reserve_default(phys_addr_t addr_limit)
{
	if (cmdline_has_area)
		declare_from_cmdline(addr_limit);
	dma_areas_settle_node(!default_is_from_cmdline);
	if (!default_is_from_cmdline && !dma_contiguous_default_area) {
		if (type_dma_area)
			dma_areas_set_default(type_dma_area);
		else
			declare_configured(addr_limit);
	}
	dma_areas_settle_policies();
}

