/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For trace/events/cma.h, which is included several times, and this file with
 * it.
 */

/* A request begins; each has one cma_alloc_finish, even if it fails. */
TRACE_EVENT(cma_alloc_start,
	TP_PROTO(const char *name, unsigned long request_count,
		 unsigned long available_count, unsigned long total_count,
		 unsigned int align),
	TP_ARGS(name, request_count, available_count, total_count, align),
	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned long, request_count)
		__field(unsigned long, available_count)
		__field(unsigned long, total_count)
		__field(unsigned int, align)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->request_count = request_count;
		__entry->available_count = available_count;
		__entry->total_count = total_count;
		__entry->align = align;
	),
	TP_printk("name=%s request_count=%lu available_count=%lu total_count=%lu align=%u",
		  __get_str(name), __entry->request_count,
		  __entry->available_count, __entry->total_count,
		  __entry->align)
);
