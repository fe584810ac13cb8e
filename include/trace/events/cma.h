/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cma

#if !defined(_TRACE_CMA_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_CMA_H

#include <linux/mm_types.h>
#include <linux/mmzone.h>
#include <linux/tracepoint.h>
#include <trace/misc/contig.h>

struct contig_blocker;
struct contig_contents;

/* perf and trace-cmd need the numbers of these names. */
#undef EM
#undef EMe
#define EM(reason, name)	TRACE_DEFINE_ENUM(reason);
#define EMe(reason, name)	TRACE_DEFINE_ENUM(reason);

CONTIG_BLOCK_REASONS

#undef EM
#undef EMe
#define EM(reason, name)	{ reason, name },
#define EMe(reason, name)	{ reason, name }

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

/*
 * A window is about to be evacuated. What it holds is counted for this event,
 * by what the pages need.
 */
TRACE_EVENT(cma_window,
	TP_PROTO(const char *name, unsigned long pfn, unsigned long count,
		 const struct contig_contents *contents),
	TP_ARGS(name, pfn, count, contents),
	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned long, pfn)
		__field(unsigned long, count)
		__field(unsigned long, price)
		__field(unsigned long, nr_free)
		__field(unsigned long, nr_cold)
		__field(unsigned long, nr_warm)
		__field(unsigned long, nr_other)
		__field(unsigned long, nr_dirty)
		__field(unsigned long, nr_busy)
		__field(unsigned long, nr_stuck)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->pfn = pfn;
		__entry->count = count;
		__entry->price = contents->price;
		__entry->nr_free = contents->nr_free;
		__entry->nr_cold = contents->nr_cold;
		__entry->nr_warm = contents->nr_warm;
		__entry->nr_other = contents->nr_other;
		__entry->nr_dirty = contents->nr_dirty;
		__entry->nr_busy = contents->nr_busy;
		__entry->nr_stuck = contents->nr_stuck;
	),
	TP_printk("name=%s pfn=0x%lx count=%lu price=%lu nr_free=%lu nr_cold=%lu nr_warm=%lu nr_other=%lu nr_dirty=%lu nr_busy=%lu nr_stuck=%lu",
		  __get_str(name), __entry->pfn, __entry->count,
		  __entry->price, __entry->nr_free, __entry->nr_cold,
		  __entry->nr_warm, __entry->nr_other, __entry->nr_dirty,
		  __entry->nr_busy, __entry->nr_stuck)
);

/* A page is in the way: of the window that was tried, or was about to be. */
TRACE_EVENT(cma_blocker,
	TP_PROTO(const char *name, const struct contig_blocker *blocker),
	TP_ARGS(name, blocker),
	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned long, pfn)
		__field(int, reason)
		__field(int, refs)
		__field(int, maps)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->pfn = blocker->pfn;
		__entry->reason = blocker->reason;
		__entry->refs = blocker->refs;
		__entry->maps = blocker->maps;
	),
	TP_printk("name=%s pfn=0x%lx refs=%d maps=%d reason=%s",
		  __get_str(name), __entry->pfn, __entry->refs, __entry->maps,
		  __print_symbolic(__entry->reason, CONTIG_BLOCK_REASONS))
);

/* A request could have no window, and pauses before it tries all of them again. */
TRACE_EVENT(cma_wait_start,
	TP_PROTO(const char *name, unsigned int ms),
	TP_ARGS(name, ms),
	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned int, ms)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->ms = ms;
	),
	TP_printk("name=%s ms=%u", __get_str(name), __entry->ms)
);

DECLARE_EVENT_CLASS(cma_wait_over,
	TP_PROTO(const char *name, int errorno),
	TP_ARGS(name, errorno),
	TP_STRUCT__entry(
		__string(name, name)
		__field(int, errorno)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->errorno = errorno;
	),
	TP_printk("name=%s errorno=%d", __get_str(name), __entry->errorno)
);

/* The pause is over; with errorno=0 the request got a window meanwhile. */
DEFINE_EVENT(cma_wait_over, cma_wait_finish,
	TP_PROTO(const char *name, int errorno),
	TP_ARGS(name, errorno)
);

/* A request waits until the mode of its area has changed. */
TRACE_EVENT(cma_mode_wait_start,
	TP_PROTO(const char *name),
	TP_ARGS(name),
	TP_STRUCT__entry(__string(name, name)),
	TP_fast_assign(__assign_str(name);),
	TP_printk("name=%s", __get_str(name))
);

DEFINE_EVENT(cma_wait_over, cma_mode_wait_finish,
	TP_PROTO(const char *name, int errorno),
	TP_ARGS(name, errorno)
);

/* An area is about to be shared, or made exclusive, which evacuates it. */
TRACE_EVENT(cma_mode_start,
	TP_PROTO(const char *name, const char *old_mode, const char *new_mode),
	TP_ARGS(name, old_mode, new_mode),
	TP_STRUCT__entry(
		__string(name, name)
		__string(old_mode, old_mode)
		__string(new_mode, new_mode)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(old_mode);
		__assign_str(new_mode);
	),
	TP_printk("name=%s old_mode=%s new_mode=%s", __get_str(name),
		  __get_str(old_mode), __get_str(new_mode))
);

/* The area has the new mode, or, with an error, the old one. */
TRACE_EVENT(cma_mode_finish,
	TP_PROTO(const char *name, const char *old_mode, const char *new_mode,
		 int errorno),
	TP_ARGS(name, old_mode, new_mode, errorno),
	TP_STRUCT__entry(
		__string(name, name)
		__string(old_mode, old_mode)
		__string(new_mode, new_mode)
		__field(int, errorno)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(old_mode);
		__assign_str(new_mode);
		__entry->errorno = errorno;
	),
	TP_printk("name=%s old_mode=%s new_mode=%s errorno=%d",
		  __get_str(name), __get_str(old_mode), __get_str(new_mode),
		  __entry->errorno)
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
