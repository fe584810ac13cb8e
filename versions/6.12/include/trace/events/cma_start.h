/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For trace/events/cma.h, which is included several times, and this file with
 * it.
 */

/* A request begins; each has one cma_alloc_finish, even if it fails. */
TRACE_EVENT(cma_alloc_start,
	TP_PROTO(const char *name, unsigned long count, unsigned int align),
	TP_ARGS(name, count, align),
	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned long, count)
		__field(unsigned int, align)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->count = count;
		__entry->align = align;
	),
	TP_printk("name=%s count=%lu align=%u", __get_str(name),
		  __entry->count, __entry->align)
);
