// SPDX-License-Identifier: GPL-2.0
/*
 * Boot: declare areas, reserve their memory, and activate them.
 *
 * Memory of an area is reserved in memblock while that still hands out memory,
 * so that nothing unmovable ever gets there. At core_initcall time its whole
 * pageblocks become MIGRATE_CMA, and those of a shared area go to the page
 * allocator. No lock: one CPU runs, and nobody allocates yet.
 *
 * Addresses and sizes are bytes until an area is made, and pages afterwards.
 */
#define pr_fmt(fmt) "cma: " fmt

#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/page-isolation.h>
#include <linux/sizes.h>

#include "../contig/kernel.h"
#include "internal.h"
#include "parse.h"
#include "place.h"
#include "placement.h"

DEFINE_STATIC_KEY_FALSE(cma_areas_active);

static bool __init area_table_has_room(const struct cma *cma,
				       unsigned int nr_banks)
{
	if (cma->nr_banks + nr_banks <= ARRAY_SIZE(cma->banks))
		return true;
	pr_err("%s: more than %d pieces of memory\n", cma->name, CMA_MAX_BANKS);
	return false;
}

static int __init area_put_bank(struct cma *cma, unsigned long start_pfn,
				unsigned long end_pfn)
{
	struct cma_bank *bank = cma->banks + cma->nr_banks;

	if (!area_table_has_room(cma, 1))
		return -ENOSPC;
	cma->nr_banks++;
	for (; bank > cma->banks && bank[-1].start_pfn > start_pfn; bank--)
		*bank = bank[-1];
	*bank = (struct cma_bank) {
		.start_pfn	= start_pfn,
		.end_pfn	= end_pfn,
	};
	return 0;
}

/* An area may cross the end of low memory, but no buffer may: split there. */
static int __init area_add_bank(struct cma *cma, phys_addr_t base,
				phys_addr_t size)
{
	unsigned long start_pfn = PFN_DOWN(base);
	unsigned long end_pfn = PFN_DOWN(base + size);
	unsigned long border = PFN_DOWN(cma_highmem_start());
	bool is_split = start_pfn < border && border < end_pfn;

	/* Add both parts or none. */
	if (!area_table_has_room(cma, 1 + is_split))
		return -ENOSPC;
	area_put_bank(cma, start_pfn, is_split ? border : end_pfn);
	if (is_split)
		area_put_bank(cma, border, end_pfn);
	cma->nr_pages += end_pfn - start_pfn;
	totalcma_pages += end_pfn - start_pfn;
	return 0;
}

static int __init check_reserved_area(phys_addr_t base, phys_addr_t size,
				      unsigned int order_per_bit,
				      const char *shown)
{
	phys_addr_t alignment = PAGE_SIZE << order_per_bit;
	phys_addr_t end = base + size;
	struct cma *cma;

	if (!size || !cma_span_ok(base, size) ||
	    !memblock_is_region_reserved(base, size)) {
		pr_err("%s: %pa..%pa is not reserved memory\n", shown, &base,
		       &end);
		return -EINVAL;
	}
	if (!IS_ALIGNED(base | size, alignment)) {
		pr_err("%s: %pa..%pa is not aligned to %pa\n", shown, &base,
		       &end, &alignment);
		return -EINVAL;
	}
	cma = cma_area_intersecting(PFN_DOWN(base), PFN_UP(end));
	if (cma) {
		pr_err("%s: %pa..%pa overlaps area %s\n", shown, &base, &end,
		       cma->name);
		return -EINVAL;
	}
	return cma_check_mapped(base, end - 1, shown);
}

/**
 * cma_init_reserved_mem() - make an area of memory that is already reserved
 * @base:	physical address, a multiple of PAGE_SIZE << @order_per_bit
 * @size:	bytes, a multiple of PAGE_SIZE << @order_per_bit
 * @order_per_bit: buffers are multiples of 1 << this many pages; may be more
 *		than a pageblock
 * @name:	name of the area; NULL to derive one from its number
 * @res_cma:	set to the area
 *
 * Whole pageblocks are shared with the page allocator. Partial pageblocks at
 * the ends stay reserved for devices.
 *
 * Context: Boot, before core_initcall.
 * Return: 0; -EINVAL if the memory is not reserved, is empty, is not aligned or
 * belongs to another area, or if @order_per_bit is too large; -EBUSY if the
 * memory must not be mapped; -ENOSPC if the table of areas is full.
 */
int __init cma_init_reserved_mem(phys_addr_t base, phys_addr_t size,
				 unsigned int order_per_bit, const char *name,
				 struct cma **res_cma)
{
	const char *shown = name ?: "area";
	struct cma *cma;
	int error;

	if (order_per_bit >= BITS_PER_LONG - PAGE_SHIFT) {
		pr_err("%s: buffers of order %u are more than there is memory\n",
		       shown, order_per_bit);
		return -EINVAL;
	}
	error = check_reserved_area(base, size, order_per_bit, shown);
	if (error)
		return error;
	cma = cma_area_new(name);
	if (!cma) {
		pr_err("%s: there are %u areas already, see CONFIG_CMA_AREAS\n",
		       shown, cma_area_count);
		return -ENOSPC;
	}

	cma->order_per_bit = order_per_bit;
	area_add_bank(cma, base, size);
	*res_cma = cma;
	return 0;
}

/**
 * cma_add_reserved_mem() - add memory that is already reserved to an area
 * @cma:	the area
 * @base:	physical address, aligned as for cma_init_reserved_mem()
 * @size:	bytes, aligned likewise
 *
 * A buffer lies within one piece. Adjacent pieces of one zone become one.
 *
 * Context: Boot, before core_initcall.
 * Return: 0; -EINVAL and -EBUSY as cma_init_reserved_mem(); -ENOSPC if the area
 * would have more than %CMA_MAX_BANKS pieces.
 */
int __init cma_add_reserved_mem(struct cma *cma, phys_addr_t base,
				phys_addr_t size)
{
	int error = check_reserved_area(base, size, cma->order_per_bit,
					cma->name);

	return error ?: area_add_bank(cma, base, size);
}

/*
 * Whole pageblocks of a shared area are lent while no device needs them, so
 * rounding up to them costs nothing. With large pages, a pageblock can be more
 * than the machine can spare. Then do not round up: partial pageblocks stay
 * reserved.
 */
static phys_addr_t __init rounded_area_size(phys_addr_t size,
					    unsigned int order,
					    enum cma_mode mode)
{
	phys_addr_t unit = (phys_addr_t)PAGE_SIZE << order;
	phys_addr_t rounded = ALIGN(size, max_t(phys_addr_t, unit,
						CMA_MIN_ALIGNMENT_BYTES));

	/* If rounding up wraps around, there is not as much memory anyway. */
	if (mode == CMA_SHARED && rounded >= size &&
	    (rounded - size <= size ||
	     rounded <= memblock_phys_mem_size() / 16))
		return rounded;
	return ALIGN(size, unit);
}

static phys_addr_t __init least_area_alignment(phys_addr_t size)
{
	if (IS_ALIGNED(size, CMA_MIN_ALIGNMENT_BYTES))
		return CMA_MIN_ALIGNMENT_BYTES;
	return min_t(phys_addr_t, size & -size, CMA_MIN_ALIGNMENT_BYTES);
}

static int __init area_make(const struct cma_place *place,
			    unsigned int order_per_bit, const char *name,
			    struct cma **res_cma)
{
	int error = cma_init_reserved_mem(place->base[0], place->size[0],
					  order_per_bit, name, res_cma);

	if (error)
		return error;
	/* A piece that crosses the end of low memory takes two entries. */
	for (unsigned int i = 1; i < place->nr; i++)
		if (cma_add_reserved_mem(*res_cma, place->base[i],
					 place->size[i]))
			memblock_phys_free(place->base[i], place->size[i]);
	return 0;
}

static int __init check_area_size(phys_addr_t size, phys_addr_t alignment,
				  const char *shown)
{
	phys_addr_t all = memblock_phys_mem_size();

	if (!size || size > all) {
		pr_err("%s: cannot reserve %pa bytes, there are %pa of memory\n",
		       shown, &size, &all);
		return -EINVAL;
	}
	if (alignment && !is_power_of_2(alignment)) {
		pr_err("%s: alignment %pa is not a power of two\n", shown,
		       &alignment);
		return -EINVAL;
	}
	return 0;
}

/*
 * Fall back to this size if the rounded one does not fit: devices can use
 * partial pageblocks, too.
 */
static phys_addr_t __init exact_area_size(const struct cma_area_desc *desc)
{
	return ALIGN(desc->size, (phys_addr_t)PAGE_SIZE << desc->order_per_bit);
}

static phys_addr_t __init fitting_area_size(const struct cma_area_desc *desc,
					    phys_addr_t room)
{
	phys_addr_t rounded = rounded_area_size(desc->size, desc->order_per_bit,
						desc->mode);

	return rounded > room ? exact_area_size(desc) : rounded;
}

static bool __init is_unreserved(phys_addr_t base, phys_addr_t size)
{
	return cma_is_mapped(base, size) &&
	       !memblock_is_region_reserved(base, size) &&
	       !cma_is_claimed(base, size);
}

static int __init place_area_fixed(const struct cma_area_desc *desc,
				   phys_addr_t limit, const char *shown,
				   struct cma_place *place)
{
	phys_addr_t exact = exact_area_size(desc);
	phys_addr_t size = exact, room = limit - desc->base;

	if (limit < desc->base || room < exact) {
		phys_addr_t last = desc->base + (exact - 1);

		pr_err("%s: %pa-%pa is not all memory\n", shown, &desc->base,
		       &last);
		return -EINVAL;
	}
	if (IS_ALIGNED(desc->base, CMA_MIN_ALIGNMENT_BYTES))
		size = fitting_area_size(desc, room);
	if (size > exact && !is_unreserved(desc->base + exact, size - exact))
		size = exact;
	*place = (struct cma_place) { { desc->base }, { size }, 1 };
	return cma_reserve_fixed(desc->base, size, shown);
}

static int __init place_area_size(const struct cma_area_desc *desc,
				  phys_addr_t size, phys_addr_t limit,
				  phys_addr_t alignment, const char *shown,
				  struct cma_place *place)
{
	phys_addr_t least = least_area_alignment(size);
	phys_addr_t base, end = ALIGN_DOWN(limit, least);

	alignment = max(alignment, least);
	base = ALIGN(desc->base, alignment);
	/* Near the end of the address space, aligning wraps around. */
	if (size < desc->size || base < desc->base || end < base ||
	    end - base < size)
		return -EINVAL;
	return cma_place_anywhere(size, alignment, base, end,
				  IS_ENABLED(CONFIG_NUMA) ? desc->nid :
				  NUMA_NO_NODE, shown, place);
}

static int __init place_area_anywhere(const struct cma_area_desc *desc,
				      phys_addr_t limit, phys_addr_t alignment,
				      const char *shown,
				      struct cma_place *place)
{
	phys_addr_t room = limit < desc->base ? 0 : limit - desc->base;
	phys_addr_t size = fitting_area_size(desc, room);
	int error = place_area_size(desc, size, limit, alignment, shown, place);

	if (error && size != exact_area_size(desc))
		error = place_area_size(desc, exact_area_size(desc), limit,
					alignment, shown, place);
	if (error && !desc->quiet)
		pr_err("%s: no room for %pa bytes between %pa and %pa\n", shown,
		       &desc->size, &desc->base, &limit);
	return error;
}

/**
 * cma_declare() - reserve memory for an area
 * @desc:	description of the area
 * @res_cma:	set to the area
 *
 * The area may have several pieces if memory has holes. A buffer lies within
 * one of them.
 *
 * Context: Boot, while memblock hands out memory.
 * Return: 0; -EINVAL if the description is not valid; -ENOSPC if the table of
 * areas is full; -EBUSY if memory at a fixed address is in use; -ENOMEM if
 * there is no room. The log says what was wrong.
 */
int __init cma_declare(const struct cma_area_desc *desc, struct cma **res_cma)
{
	const char *shown = desc->name ?: "area";
	phys_addr_t end_of_memory = memblock_end_of_DRAM();
	phys_addr_t limit = min_not_zero(desc->limit, end_of_memory);
	phys_addr_t alignment = max_t(phys_addr_t, desc->alignment,
				      PAGE_SIZE << desc->order_per_bit);
	struct cma_place place = {
		.max = desc->one_piece ? 1 : CMA_MAX_BANKS,
	};
	int error;

	error = check_area_size(desc->size, desc->alignment, shown);
	if (error)
		return error;
	/* Honour an explicit base as given, even if not on a pageblock. */
	if (desc->fixed && !IS_ALIGNED(desc->base, alignment)) {
		pr_err("%s: base %pa is not aligned to %pa\n", shown,
		       &desc->base, &alignment);
		return -EINVAL;
	}
	if (desc->fixed)
		error = place_area_fixed(desc, limit, shown, &place);
	else
		error = place_area_anywhere(desc, limit, alignment, shown,
					    &place);
	if (error)
		return error;
	error = area_make(&place, desc->order_per_bit, desc->name, res_cma);
	if (error)
		cma_place_free(&place);
	else
		(*res_cma)->mode = cma_supported_mode(desc->mode);
	return error;
}

/**
 * cma_declare_contiguous_nid() - reserve memory for a shared area
 * @base:	lowest physical address; if @fixed, the address of the area
 * @size:	bytes; rounded up to whole pageblocks if the machine can spare
 *		them
 * @limit:	first physical address past the area; 0 for the end of memory
 * @alignment:	alignment of the area in bytes, a power of two; 0 for that of a
 *		pageblock
 * @order_per_bit: buffers are multiples of 1 << this many pages
 * @fixed:	fail rather than place the area elsewhere than at @base
 * @name:	name of the area; NULL to derive one from its number
 * @res_cma:	set to the area
 * @nid:	NUMA node of the memory; NUMA_NO_NODE for any
 *
 * Context: Boot, while memblock hands out memory.
 * Return: as cma_declare().
 */
int __init cma_declare_contiguous_nid(phys_addr_t base, phys_addr_t size,
				      phys_addr_t limit, phys_addr_t alignment,
				      unsigned int order_per_bit, bool fixed,
				      const char *name, struct cma **res_cma,
				      int nid)
{
	const struct cma_area_desc desc = {
		.base		= base,
		.size		= size,
		.limit		= limit,
		.alignment	= alignment,
		.order_per_bit	= order_per_bit,
		.fixed		= fixed,
		.one_piece	= CONTIG_PLAIN_AREA_IS_ONE_PIECE,
		.mode		= CMA_SHARED,
		.name		= name,
		.nid		= nid,
	};

	return cma_declare(&desc, res_cma);
}

/**
 * cma_declare_contiguous_multi() - reserve memory for an area in pieces
 * @size:	bytes; rounded up to whole pageblocks if the machine can spare
 *		them
 * @align:	alignment of each piece in bytes, a power of two; 0 for that of
 *		a pageblock
 * @order_per_bit: buffers are multiples of 1 << this many pages
 * @name:	name of the area; NULL to derive one from its number
 * @res_cma:	set to the area
 * @nid:	NUMA node of the memory; NUMA_NO_NODE for any
 *
 * The area is wherever there is room, in one piece if that can be.
 *
 * Context: Boot, while memblock hands out memory.
 * Return: as cma_declare().
 */
int __init cma_declare_contiguous_multi(phys_addr_t size, phys_addr_t align,
					unsigned int order_per_bit,
					const char *name, struct cma **res_cma,
					int nid)
{
	const struct cma_area_desc desc = {
		.size		= size,
		.alignment	= align,
		.order_per_bit	= order_per_bit,
		.mode		= CMA_SHARED,
		.name		= name,
		.nid		= nid,
	};

	return cma_declare(&desc, res_cma);
}

/**
 * cma_reserve_pages_on_error() - keep pages reserved if activation fails
 * @cma:	the area
 *
 * Call this if the contents of the memory must be preserved. Otherwise pages of
 * an area that cannot be activated become ordinary memory.
 *
 * Context: Boot, before core_initcall.
 */
void __init cma_reserve_pages_on_error(struct cma *cma)
{
	cma->reserve_pages_on_error = true;
}

/*
 * A buffer must lie in one zone, as its pageblocks and free lists do. Its owner
 * may step from one struct page to the next. Where each section of memory has
 * an array of its own, the next page may be elsewhere.
 */
static bool __init one_buffer_may_hold(unsigned long pfn,
				       unsigned long other_pfn)
{
	struct page *page, *other;

	if (!pfn_valid(pfn) || !pfn_valid(other_pfn))
		return false;
	page = pfn_to_page(pfn);
	other = pfn_to_page(other_pfn);
	return page_zone(page) == page_zone(other) &&
	       page + (other_pfn - pfn) == other;
}

/* Return: the first page in [@pfn, @end_pfn) that no buffer has with @pfn. */
static unsigned long __init border_in_bank(unsigned long pfn,
					   unsigned long end_pfn)
{
	unsigned long start_pfn = pfn;

	while (pfn < end_pfn && one_buffer_may_hold(start_pfn, pfn)) {
		unsigned long stop = min(pageblock_end_pfn(pfn), end_pfn);

		/* Few zones end within a pageblock, on 32 bit machines. */
		pfn = one_buffer_may_hold(start_pfn, stop - 1) ? stop : pfn + 1;
	}
	return pfn;
}

static int __init split_banks(struct cma *cma)
{
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		struct cma_bank *bank = &cma->banks[i];
		unsigned long end_pfn = bank->end_pfn, border;

		border = pfn_valid(bank->start_pfn) ?
			 border_in_bank(bank->start_pfn, end_pfn) :
			 bank->start_pfn;
		if (border == end_pfn)
			continue;
		if (!pfn_valid(border)) {
			pr_err("%s: pfn %#lx is no memory\n", cma->name, border);
			return -EINVAL;
		}
		bank->end_pfn = border;
		if (area_put_bank(cma, border, end_pfn)) {
			bank->end_pfn = end_pfn;
			return -ENOSPC;
		}
	}
	return 0;
}

/* Let buffers cross from one piece into an adjacent one. */
static void __init merge_banks(struct cma *cma)
{
	unsigned int nr_banks = 1;

	for (unsigned int i = 1; i < cma->nr_banks; i++) {
		struct cma_bank *last = &cma->banks[nr_banks - 1];
		struct cma_bank *bank = &cma->banks[i];

		if (last->end_pfn == bank->start_pfn &&
		    one_buffer_may_hold(last->start_pfn, bank->start_pfn) &&
		    !bank->nr_early)
			last->end_pfn = bank->end_pfn;
		else
			cma->banks[nr_banks++] = *bank;
	}
	cma->nr_banks = nr_banks;
}

static int __init set_up_area(struct cma *cma)
{
	struct cma_bank *banks = cma->banks;
	int error = split_banks(cma);

	if (error)
		return error;
	merge_banks(cma);

	cma_range_init(&cma->range, banks[0].start_pfn,
		       banks[cma->nr_banks - 1].end_pfn - banks[0].start_pfn);
	for (unsigned int i = 1; i < cma->nr_banks && !error; i++)
		error = cma_buffer_hold_gap(cma, banks[i - 1].end_pfn,
					    banks[i].start_pfn);
	for (unsigned int i = 0; i < cma->nr_banks && !error; i++)
		if (banks[i].nr_early)
			error = cma_buffer_hold_early(cma, &banks[i]);
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		struct cma_bank *bank = &banks[i];

		bank->lent_start_pfn = pageblock_align(bank->start_pfn);
		bank->lent_end_pfn = max(pageblock_start_pfn(bank->end_pfn),
					 bank->lent_start_pfn);
		cma->nr_lent += bank->lent_end_pfn - bank->lent_start_pfn;
	}
	if (!error)
		error = percpu_init_rwsem(&cma->mode_lock);
	if (error)
		cma_buffer_free_all(cma);
	return error;
}

static void __init give_up_area(struct cma *cma, int error)
{
	pr_err("%s: not usable (%d)\n", cma->name, error);
	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		unsigned long pfn = cma->banks[i].start_pfn +
				    cma->banks[i].nr_early;

		if (cma->reserve_pages_on_error)
			break;
		for (; pfn < cma->banks[i].end_pfn; pfn++)
			if (pfn_valid(pfn))
				free_reserved_page(pfn_to_page(pfn));
	}
	totalcma_pages -= cma->nr_pages;
	cma->nr_pages = 0;
	cma->nr_banks = 0;
	cma_range_init(&cma->range, 0, 0);
}

static void __init activate_bank(const struct cma *cma,
				 const struct cma_bank *bank)
{
	unsigned long start_pfn = bank->start_pfn + bank->nr_early;
	unsigned long lent_start_pfn = max(bank->lent_start_pfn, start_pfn);
	unsigned long pfn;

	for (pfn = start_pfn; pfn < bank->end_pfn; pfn++)
		set_page_count(pfn_to_page(pfn), 1);
	for (pfn = lent_start_pfn; pfn < bank->lent_end_pfn;
	     pfn += pageblock_nr_pages)
		contig_area_add_block(pfn);
	if (cma->mode == CMA_SHARED && lent_start_pfn < bank->lent_end_pfn)
		cma_lend(lent_start_pfn, bank->lent_end_pfn);
}

static const char * __init area_users_text(const struct cma *cma)
{
	static const char * const users[] __initconst = {
		[CMA_FOR_OWNER]		= "its owner",
		[CMA_FOR_ALL]		= "all devices",
		[CMA_FOR_TYPE]		= "devices that ask for it",
		[CMA_FOR_REFERRERS]	= "devices that refer to it",
		[CMA_FOR_NODE]		= "devices of its node",
	};

	return cma->users == CMA_FOR_DEVICES ? cma->devices : users[cma->users];
}

/* Return: the zones, for the log; "" on a kernel without high memory. */
static const char * __init area_zones_text(const struct cma *cma)
{
	bool low = false, high = false;

	if (!IS_ENABLED(CONFIG_HIGHMEM))
		return "";
	for (unsigned int i = 0; i < cma->nr_banks; i++)
		if (PageHighMem(pfn_to_page(cma->banks[i].start_pfn)))
			high = true;
		else
			low = true;
	if (low && high)
		return "lowmem and highmem, ";
	return high ? "highmem, " : "lowmem, ";
}

static void __init log_area(const struct cma *cma)
{
	bool in_mib = IS_ALIGNED(cma->nr_pages, SZ_1M / PAGE_SIZE);
	unsigned long kib = cma->nr_pages * (PAGE_SIZE / SZ_1K);
	char places[CMA_MAX_BANKS * 40], *at = places;

	for (unsigned int i = 0; i < cma->nr_banks; i++) {
		phys_addr_t base = PFN_PHYS(cma->banks[i].start_pfn);
		phys_addr_t last = PFN_PHYS(cma->banks[i].end_pfn) - 1;

		at += scnprintf(at, places + sizeof(places) - at, "%s%pa-%pa",
				i ? ", " : "", &base, &last);
	}
	pr_info("%s: %lu %s at %s, %s%s%s, for %s%s%s\n", cma->name,
		in_mib ? kib / SZ_1K : kib, in_mib ? "MiB" : "KiB", places,
		area_zones_text(cma), cma_mode_name(cma->mode),
		cma->mode == CMA_SHARED && cma->nr_lent < cma->nr_pages ?
		" but for parts of pageblocks" : "", area_users_text(cma),
		cma->source ? ", from " : "", cma->source ?: "");
}

/* hugetlb counts the pages that it took, see init_cma_pageblock(). */
static void __init cma_uncount_early(const struct cma_bank *bank)
{
	struct page *first = pfn_to_page(bank->start_pfn);

	if (!bank->nr_early)
		return;
	adjust_managed_page_count(first, -(long)bank->nr_early);
	page_zone(first)->cma_pages -= bank->nr_early;
}

static void __init activate_area(struct cma *cma)
{
	for (unsigned int i = 0; i < cma->nr_banks; i++)
		activate_bank(cma, &cma->banks[i]);
	if (cma->mode == CMA_SHARED)
		cma_account_lent(cma, true);
	for (unsigned int i = 0; i < cma->nr_banks; i++)
		cma_uncount_early(&cma->banks[i]);
	cma_cache_init_area(cma);
	cma->active = true;
	log_area(cma);
}

/**
 * cma_areas_enable() - let movable requests use MIGRATE_CMA pageblocks
 *
 * Context: Boot, process context.
 */
void __init cma_areas_enable(void)
{
	static_branch_enable(&cma_areas_active);
}

static int __init cma_activate_areas(void)
{
	/* After a kexec handover there are such blocks without an area. */
	bool enable = global_zone_page_state(NR_FREE_CMA_PAGES) > 0;

	contig_areas_init();
	for (unsigned int i = 0; i < cma_area_count; i++) {
		int error = set_up_area(&cma_areas[i]);

		if (error)
			give_up_area(&cma_areas[i], error);
		else
			activate_area(&cma_areas[i]);
		enable |= !error;
	}
	contig_areas_ready();
	if (enable)
		cma_areas_enable();
	return 0;
}
core_initcall(cma_activate_areas);
