# SPDX-License-Identifier: GPL-2.0
#
# The contiguous memory allocator: what one can do with this repository.
# Everything that is made goes to $(BUILD). BASE=newest is for the newest kernel
# that Debian has instead of 6.12. KSRC= takes a tarball or an unpacked source of
# such a kernel instead of Debian's package.

SCRIPTS := scripts/cma
BUILD ?= $(CURDIR)/build
BASE ?= 6.12
export BUILD
export BASE
export KSRC

ifeq ($(filter 6.12 newest,$(BASE)),)
$(error BASE=$(BASE): it can be 6.12 or newest)
endif

.PHONY: help demo check check-boards check-kernels bench bench-hot stress soak files tree export status series

help:
	@echo 'make demo     boot an ARM board and see large buffers come out of full memory'
	@echo 'make check    every test: trees, style, builds, boots'
	@echo 'make check-boards  every test on every board, every patch of the series'
	@echo 'make check-kernels  PREEMPT_RT, KCSAN, no areas, small pageblocks, file systems'
	@echo 'make bench    measure it beside mainline (CASE=NAME[,NAME]: some cases)'
	@echo 'make bench-hot  what page allocations cost beside a kernel without it'
	@echo 'make stress   a busy board for a while, with both (MINUTES=N, ONLY=ours|mainline)'
	@echo 'make soak     all of it at once for hours, every byte and counter compared (HOURS=N)'
	@echo 'make files    files change on several file systems for hours, and are compared (HOURS=N)'
	@echo 'make tree     the kernel in build/linux: base -> bare -> cma, ready to build'
	@echo 'make status   which kernel files are new (+), edited (~), stripped (-)'
	@echo 'make export   edits made in build/linux -> the repository'
	@echo '              (FOR=this: for this kernel alone, to versions/)'
	@echo 'make series   patches for git am in build/patches, verified, and their letter'
	@echo
	@echo 'BASE=newest takes the newest Linux that Debian has instead of 6.12, and'
	@echo 'build/newest/ instead of build/: make tree BASE=newest.'
	@echo 'KSRC=FILE|DIR takes another source of that Linux; see README.md.'

demo:
	@$(SCRIPTS)/deps.sh demo
	@$(SCRIPTS)/demo.py

check:
	@$(SCRIPTS)/deps.sh check
	@$(SCRIPTS)/check.py

check-boards:
	@$(SCRIPTS)/deps.sh check
	@$(SCRIPTS)/check.py --only tree series by-hand boards-whole bisect

check-kernels:
	@$(SCRIPTS)/deps.sh check
	@$(SCRIPTS)/check.py --only tree blocks bare-64-bit without rt kcsan hibernate files

bench:
	@$(SCRIPTS)/deps.sh bench
	@$(SCRIPTS)/bench.py $(if $(CASE),--case $(CASE))

bench-hot:
	@$(SCRIPTS)/deps.sh bench
	@$(SCRIPTS)/bench.py --hot

stress:
	@$(SCRIPTS)/deps.sh demo
	@$(SCRIPTS)/stress.py $(if $(MINUTES),--minutes $(MINUTES)) $(if $(ONLY),--only $(ONLY))

soak:
	@$(SCRIPTS)/deps.sh demo
	@$(SCRIPTS)/soak.py $(if $(HOURS),--hours $(HOURS))

files:
	@$(SCRIPTS)/deps.sh files
	@$(SCRIPTS)/files.py $(if $(HOURS),--hours $(HOURS))

tree export status series:
	@$(SCRIPTS)/deps.sh tree
	@$(SCRIPTS)/tree.py $@ $(if $(FOR),--for $(FOR))
