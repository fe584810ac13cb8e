/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events of the range allocator, mm/contig/. mm/contig/contig.h has the
 * structs that they are told of.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM contig

#if !defined(_TRACE_CONTIG_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_CONTIG_H

#include <linux/tracepoint.h>

struct contig_evacuated;
struct contig_request;

/* Everything is to leave a window whose pageblocks are isolated. */
TRACE_EVENT(contig_evacuate_start,
	TP_PROTO(const struct contig_request *req),
	TP_ARGS(req),
	TP_STRUCT__entry(
		__field(unsigned long, start_pfn)
		__field(unsigned long, nr_pages)
		__field(bool, patient)
		__field(unsigned int, linger_ms)
	),
	TP_fast_assign(
		__entry->start_pfn = req->start_pfn;
		__entry->nr_pages = req->end_pfn - req->start_pfn;
		__entry->patient = req->patient;
		__entry->linger_ms = req->linger_ms;
	),
	TP_printk("start_pfn=0x%lx nr_pages=%lu patient=%d linger_ms=%u",
		  __entry->start_pfn, __entry->nr_pages, __entry->patient,
		  __entry->linger_ms)
);

/* How many pages left the window in which way, and how many folios stayed. */
TRACE_EVENT(contig_evacuate_finish,
	TP_PROTO(const struct contig_request *req,
		 const struct contig_evacuated *evacuated, int errorno),
	TP_ARGS(req, evacuated, errorno),
	TP_STRUCT__entry(
		__field(unsigned long, start_pfn)
		__field(unsigned long, nr_pages)
		__field(unsigned long, nr_dropped)
		__field(unsigned long, nr_copied)
		__field(unsigned long, nr_remapped)
		__field(unsigned long, nr_migrated)
		__field(unsigned long, nr_reclaimed)
		__field(unsigned int, nr_stuck)
		__field(int, errorno)
	),
	TP_fast_assign(
		__entry->start_pfn = req->start_pfn;
		__entry->nr_pages = req->end_pfn - req->start_pfn;
		__entry->nr_dropped = evacuated->nr_dropped;
		__entry->nr_copied = evacuated->nr_copied;
		__entry->nr_remapped = evacuated->nr_remapped;
		__entry->nr_migrated = evacuated->nr_migrated;
		__entry->nr_reclaimed = evacuated->nr_reclaimed;
		__entry->nr_stuck = req->nr_stuck;
		__entry->errorno = errorno;
	),
	TP_printk("start_pfn=0x%lx nr_pages=%lu nr_dropped=%lu nr_copied=%lu nr_remapped=%lu nr_migrated=%lu nr_reclaimed=%lu nr_stuck=%u errorno=%d",
		  __entry->start_pfn, __entry->nr_pages, __entry->nr_dropped,
		  __entry->nr_copied, __entry->nr_remapped,
		  __entry->nr_migrated, __entry->nr_reclaimed,
		  __entry->nr_stuck, __entry->errorno)
);

/* A step of an evacuation is over: which part of the window, and its result. */
DECLARE_EVENT_CLASS(contig_step,
	TP_PROTO(unsigned long start_pfn, unsigned long end_pfn,
		 unsigned long nr_evacuated),
	TP_ARGS(start_pfn, end_pfn, nr_evacuated),
	TP_STRUCT__entry(
		__field(unsigned long, start_pfn)
		__field(unsigned long, nr_pages)
		__field(unsigned long, nr_evacuated)
	),
	TP_fast_assign(
		__entry->start_pfn = start_pfn;
		__entry->nr_pages = end_pfn - start_pfn;
		__entry->nr_evacuated = nr_evacuated;
	),
	TP_printk("start_pfn=0x%lx nr_pages=%lu nr_evacuated=%lu",
		  __entry->start_pfn, __entry->nr_pages,
		  __entry->nr_evacuated)
);

/* Cold page cache was freed. */
DEFINE_EVENT(contig_step, contig_drop,
	TP_PROTO(unsigned long start_pfn, unsigned long end_pfn,
		 unsigned long nr_evacuated),
	TP_ARGS(start_pfn, end_pfn, nr_evacuated)
);

/* Clean pages of files got copies, which programs map at their next fault. */
DEFINE_EVENT(contig_step, contig_copy,
	TP_PROTO(unsigned long start_pfn, unsigned long end_pfn,
		 unsigned long nr_evacuated),
	TP_ARGS(start_pfn, end_pfn, nr_evacuated)
);

/* Mapped pages got copies that are mapped in their place. */
DEFINE_EVENT(contig_step, contig_remap,
	TP_PROTO(unsigned long start_pfn, unsigned long end_pfn,
		 unsigned long nr_evacuated),
	TP_ARGS(start_pfn, end_pfn, nr_evacuated)
);

/* migrate_pages() moved what was left. */
DEFINE_EVENT(contig_step, contig_migrate,
	TP_PROTO(unsigned long start_pfn, unsigned long end_pfn,
		 unsigned long nr_evacuated),
	TP_ARGS(start_pfn, end_pfn, nr_evacuated)
);

/* Pages that had nowhere to move to were dropped, swapped or written. */
DEFINE_EVENT(contig_step, contig_reclaim,
	TP_PROTO(unsigned long start_pfn, unsigned long end_pfn,
		 unsigned long nr_evacuated),
	TP_ARGS(start_pfn, end_pfn, nr_evacuated)
);

/* A peer has claimed pageblocks that the request needs, too. */
TRACE_EVENT(contig_claim_wait_start,
	TP_PROTO(const struct contig_request *req, unsigned int ms),
	TP_ARGS(req, ms),
	TP_STRUCT__entry(
		__field(unsigned long, start_pfn)
		__field(unsigned long, nr_pages)
		__field(unsigned int, ms)
	),
	TP_fast_assign(
		__entry->start_pfn = req->start_pfn;
		__entry->nr_pages = req->end_pfn - req->start_pfn;
		__entry->ms = ms;
	),
	TP_printk("start_pfn=0x%lx nr_pages=%lu ms=%u", __entry->start_pfn,
		  __entry->nr_pages, __entry->ms)
);

/* The pageblocks are claimed now, or errorno says why the wait ended. */
TRACE_EVENT(contig_claim_wait_finish,
	TP_PROTO(const struct contig_request *req, int errorno),
	TP_ARGS(req, errorno),
	TP_STRUCT__entry(
		__field(unsigned long, start_pfn)
		__field(unsigned long, nr_pages)
		__field(int, errorno)
	),
	TP_fast_assign(
		__entry->start_pfn = req->start_pfn;
		__entry->nr_pages = req->end_pfn - req->start_pfn;
		__entry->errorno = errorno;
	),
	TP_printk("start_pfn=0x%lx nr_pages=%lu errorno=%d",
		  __entry->start_pfn, __entry->nr_pages, __entry->errorno)
);

#endif /* _TRACE_CONTIG_H */

/* Outside of the guard: define_trace.h includes this file again. */
#include <trace/define_trace.h>
