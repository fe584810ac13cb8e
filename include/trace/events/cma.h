/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cma

#if !defined(_TRACE_CMA_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_CMA_H

#include <linux/mm_types.h>
#include <linux/mmzone.h>
#include <linux/tracepoint.h>

/* A window of an area: the first fields of three of the events. */
#define CMA_WINDOW_PROTO						\
	const char *name, unsigned long pfn, const struct page *page,	\
	unsigned long count

#define CMA_WINDOW_FIELDS						\
	__string(name, name)						\
	__field(unsigned long, pfn)					\
	__field(const struct page *, page)				\
	__field(unsigned long, count)

#define CMA_WINDOW_ASSIGN						\
	do {								\
		__assign_str(name);					\
		__entry->pfn = pfn;					\
		__entry->page = page;					\
		__entry->count = count;					\
	} while (0)

#define CMA_WINDOW_FMT		"name=%s pfn=0x%lx page=%p count=%lu"
#define CMA_WINDOW_ARGS							\
	__get_str(name), __entry->pfn, __entry->page, __entry->count

/* A request begins. Linux 6.12 has fewer fields. */
#include <trace/events/cma_start.h>

/* A request ends; page is NULL if errorno is not 0. */
TRACE_EVENT(cma_alloc_finish,
	TP_PROTO(CMA_WINDOW_PROTO, unsigned int align, int errorno),
	TP_ARGS(name, pfn, page, count, align, errorno),
	TP_STRUCT__entry(
		CMA_WINDOW_FIELDS
		__field(unsigned int, align)
		__field(int, errorno)
	),
	TP_fast_assign(
		CMA_WINDOW_ASSIGN;
		__entry->align = align;
		__entry->errorno = errorno;
	),
	TP_printk(CMA_WINDOW_FMT " align=%u errorno=%d", CMA_WINDOW_ARGS,
		  __entry->align, __entry->errorno)
);

/* A window could not be taken; the search goes on if there is another one. */
TRACE_EVENT(cma_alloc_busy_retry,
	TP_PROTO(CMA_WINDOW_PROTO, unsigned int align),
	TP_ARGS(name, pfn, page, count, align),
	TP_STRUCT__entry(
		CMA_WINDOW_FIELDS
		__field(unsigned int, align)
	),
	TP_fast_assign(
		CMA_WINDOW_ASSIGN;
		__entry->align = align;
	),
	TP_printk(CMA_WINDOW_FMT " align=%u", CMA_WINDOW_ARGS, __entry->align)
);

/* Pages were given back. */
TRACE_EVENT(cma_release,
	TP_PROTO(CMA_WINDOW_PROTO),
	TP_ARGS(name, pfn, page, count),
	TP_STRUCT__entry(CMA_WINDOW_FIELDS),
	TP_fast_assign(CMA_WINDOW_ASSIGN;),
	TP_printk(CMA_WINDOW_FMT, CMA_WINDOW_ARGS)
);

/* Pages outside of areas were looked at, and some of them moved in. */
TRACE_EVENT(cma_fill,
	TP_PROTO(struct zone *zone, unsigned long nr_scanned,
		 unsigned long nr_moved),
	TP_ARGS(zone, nr_scanned, nr_moved),
	TP_STRUCT__entry(
		__field(int, nid)
		__string(zone, zone->name)
		__field(unsigned long, nr_scanned)
		__field(unsigned long, nr_moved)
	),
	TP_fast_assign(
		__entry->nid = zone_to_nid(zone);
		__assign_str(zone);
		__entry->nr_scanned = nr_scanned;
		__entry->nr_moved = nr_moved;
	),
	TP_printk("nid=%d zone=%s nr_scanned=%lu nr_moved=%lu", __entry->nid,
		  __get_str(zone), __entry->nr_scanned, __entry->nr_moved)
);

#endif /* _TRACE_CMA_H */

/* Outside of the guard: define_trace.h includes this file again. */
#include <trace/define_trace.h>
