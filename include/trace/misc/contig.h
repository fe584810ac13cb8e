/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words for enum contig_block_reason, which reports and events share. Whoever
 * uses them defines EM() and EMe(), for the last one, before.
 */
#ifndef _TRACE_MISC_CONTIG_H
#define _TRACE_MISC_CONTIG_H

/* Why a page did not get out of the way, in words: "the page is ...". */
#define CONTIG_BLOCK_REASONS						\
	EM(CONTIG_BLOCK_NONE,		"nothing")			\
	EM(CONTIG_BLOCK_PINNED,		"pinned for DMA")		\
	EM(CONTIG_BLOCK_REFERENCED,	"referenced")			\
	EM(CONTIG_BLOCK_WRITEBACK,	"under writeback")		\
	EM(CONTIG_BLOCK_LOCKED,		"locked")			\
	EM(CONTIG_BLOCK_BUFFERS,	"in use by a file system")	\
	EM(CONTIG_BLOCK_HUGE,		"huge, with no other free")	\
	EM(CONTIG_BLOCK_OFF_LRU,	"on no LRU list")		\
	EM(CONTIG_BLOCK_IN_USE,		"in use")			\
	EM(CONTIG_BLOCK_ISOLATED,	"in an isolated pageblock")	\
	EM(CONTIG_BLOCK_PEER,						\
	   "in a pageblock that another request empties")		\
	EMe(CONTIG_BLOCK_POISONED,	"broken memory")

#endif /* _TRACE_MISC_CONTIG_H */
