# SPDX-License-Identifier: GPL-2.0-only
#
# slabsim.  `make help` lists the targets.
#
#   CC=clang     compiler                  BUILD=dir    where everything is built
#   OPT=-O0      optimisation, debug info  SANITIZE=... sanitizers, such as address,undefined
#   V=1          print whole commands      PREFIX=dir DESTDIR=dir   where `make install` puts it
#
# Files are found by their place and name, so adding one needs no change here:
#
#   sim/**/*.c lua/**/*.c reports/**/*.c   the program
#   lua/lib/*.lua                          compiled, and embedded as /slabsim/lua/lib/NAME.luac
#   reports/**/*.{html,js,css}             embedded as /slabsim/reports/...
#   tests/**/test_NAME.c                   unit tests; each defines Suite *suite_NAME(void)
#   tests/cli/*.sh                         tests of the command line
#   tests/bench/bench_*.c                  benchmarks, each linked with tests/bench/bounds/*.c

VERSION = 0.1.0

# Make's own default for CC is cc; anything that the caller says wins.
ifeq ($(origin CC),default)
CC := gcc
endif
BUILD ?= build
OPT ?= -O2 -g
LUA ?= lua5.4
SANITIZE ?=
PREFIX ?= /usr/local
DESTDIR ?=

# What `make demo` and `make check` install when it is missing.
PACKAGES_BUILD = gcc libc6-dev pkg-config libglib2.0-dev libjson-glib-dev liblua5.4-dev lua5.4
PACKAGES_CHECK = $(PACKAGES_BUILD) check clang-format cppcheck chromium python3 mandoc
PACKAGES_CLIENTS = trace-cmd kernelshark xvfb babeltrace2 protobuf-compiler jq \
	libxml2-utils python3
PACKAGES_ALL = $(PACKAGES_CHECK) $(PACKAGES_CLIENTS) clang valgrind

# Empty until the packages are there: `setup` therefore always runs in a make of its own.
PKGS = glib-2.0 gio-2.0 gio-unix-2.0 json-glib-1.0 lua5.4
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

# -ffp-contract=off: a fused multiply-add rounds differently, and only some machines have one.
ALL_CFLAGS = -std=gnu11 -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow \
	$(OPT) -ffp-contract=off $(SANITIZE_FLAGS) -I. -I$(BUILD)/gen \
	-DSLABSIM_VERSION='"$(VERSION)"' $(PKG_CFLAGS) $(CFLAGS)
ALL_LIBS = $(PKG_LIBS) -lm -pthread
ifneq ($(SANITIZE),)
SANITIZE_FLAGS = -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

# Sorted, so that the link order is the same everywhere.
find = $(sort $(shell find $(1) -name '$(2)' 2>/dev/null))

SRCS := $(call find,sim lua reports,*.c)
LUA_LIB := $(patsubst %.lua,%.luac,$(wildcard lua/lib/*.lua))
RESOURCES := $(LUA_LIB) $(call find,reports,*.html) $(call find,reports,*.js) \
	$(call find,reports,*.css)
BENCHES := $(wildcard tests/bench/bench_*.c)
BOUNDS := $(wildcard tests/bench/bounds/*.c)
TESTS := $(filter-out tests/bench/% tests/soak/soak.c,$(call find,tests,*.c))
SUITES := $(patsubst test_%.c,%,$(filter test_%,$(notdir $(TESTS))))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
OBJS := $(call obj,$(SRCS)) $(BUILD)/gen/resources.o
LIB_OBJS := $(filter-out $(BUILD)/obj/sim/cli/main.o,$(OBJS))
TEST_OBJS := $(call obj,$(TESTS))
SOAK_OBJS := $(call obj,$(wildcard tests/soak/*.c))
BENCH_BINS := $(patsubst tests/bench/%.c,$(BUILD)/%,$(BENCHES))
FORMATTED := $(call find,sim lua reports tests,*.[ch])

# One job for each CPU unless the caller chose; a make below this one takes over its jobs.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(V),)
Q = @
say = @echo '  $(1)'
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: FORCE
FORCE:

##@ Build

.PHONY: all
all: $(BUILD)/slabsim ## build the program (the default)

$(BUILD)/slabsim: $(OBJS) $(BUILD)/link
	$(call say,LINK $@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $(OBJS) $(LDFLAGS) $(ALL_LIBS)

$(BUILD)/slabsim-tests: $(TEST_OBJS) $(LIB_OBJS) $(BUILD)/link
	$(call say,LINK $@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $(TEST_OBJS) $(LIB_OBJS) $(LDFLAGS) $(ALL_LIBS) \
		$$(pkg-config --libs check)

$(BENCH_BINS): $(BUILD)/%: $(BUILD)/obj/tests/bench/%.o $(call obj,$(BOUNDS)) $(LIB_OBJS) \
		$(BUILD)/link
	$(call say,LINK $@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $(filter %.o,$^) $(LDFLAGS) $(ALL_LIBS)

$(BUILD)/slabsim-soak: $(SOAK_OBJS) $(LIB_OBJS) $(BUILD)/link
	$(call say,LINK $@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $(SOAK_OBJS) $(LIB_OBJS) $(LDFLAGS) $(ALL_LIBS)

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC   $<)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The four files below change only when their contents do: then whatever was built with another
# compiler, other flags or another set of files is built again, and nothing else is.
update = @mkdir -p $(@D); { $(1) } >$@.$$$$; \
	if cmp -s $@.$$$$ $@; then rm -f $@.$$$$; else mv -f $@.$$$$ $@; fi

$(BUILD)/flags: FORCE
	@test -n '$(PKG_LIBS)' && command -v $(LUA) >/dev/null || \
		{ echo "Libraries or $(LUA) are missing; 'make setup' installs them." >&2; exit 1; }
	$(call update,printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CFLAGS))'; $(CC) --version;)

$(BUILD)/link: FORCE
	$(call update,printf '%s\n' '$(OBJS) $(TESTS) $(BOUNDS) $(LDFLAGS) $(ALL_LIBS)';)

$(BUILD)/gen/resources.xml: FORCE
	$(call update,echo '<gresources><gresource prefix="/slabsim">'; \
		$(foreach f,$(RESOURCES),echo '<file>$(f)</file>';) \
		echo '</gresource></gresources>';)

$(BUILD)/gen/tests/suites.def: FORCE
	$(call update,$(foreach s,$(SUITES),echo 'X($(s))';) :;)

$(call obj,tests/run_tests.c): $(BUILD)/gen/tests/suites.def

# "=" marks its functions as the library's, whose lines are of no use to whoever reads a message.
$(BUILD)/gen/lua/lib/%.luac: lua/lib/%.lua
	@mkdir -p $(@D)
	$(call say,LUA  $<)
	$(Q)$(LUA) -e 'io.write(string.dump(assert(load(io.read("a"), "=$<"))))' <$< >$@

$(BUILD)/gen/resources.c: $(BUILD)/gen/resources.xml $(filter-out %.luac,$(RESOURCES)) \
		$(addprefix $(BUILD)/gen/,$(LUA_LIB))
	$(Q)glib-compile-resources --generate-source --internal --c-name slabsim \
		--sourcedir=. --sourcedir=$(BUILD)/gen --target=$@ $<

$(BUILD)/gen/resources.o: $(BUILD)/gen/resources.c $(BUILD)/flags
	$(Q)$(CC) $(ALL_CFLAGS) -w -c -o $@ $<

-include $(patsubst %.o,%.d,$(OBJS) $(TEST_OBJS) $(call obj,$(BENCHES) $(BOUNDS)) $(SOAK_OBJS))

.PHONY: demo
demo: ## install what is missing, build, run the main scenario into out/demo
	@tests/tools/setup.sh $(PACKAGES_BUILD)
	@$(MAKE) all
	$(BUILD)/slabsim run scenarios/demo.lua -o out/demo --force
	@echo 'The reports of this run are in out/demo.'

.PHONY: bugs
bugs: all ## find each bug of the rework of June 2019, with all its reports, into out/bugs
	@tests/tools/bugs.sh $(BUILD) out/bugs

.PHONY: screenshots
screenshots: all ## take the pictures of the documentation into docs/img
	@tests/tools/screenshots.sh $(BUILD) docs/img

.PHONY: setup
setup: ## install every Debian package that some target needs
	@tests/tools/setup.sh $(PACKAGES_ALL)

##@ Test

.PHONY: check
check: ## install what is missing, then lint and test
	@tests/tools/setup.sh $(PACKAGES_CHECK)
	@$(MAKE) lint
	@$(MAKE) test

.PHONY: test
test: $(BUILD)/slabsim $(BUILD)/slabsim-tests ## unit tests, what scenarios expect, command line
	@tests/tools/test.sh $(BUILD)

.PHONY: gallery
gallery: $(BUILD)/slabsim ## renew the schedules in scenarios/history, and docs/bug-gallery.md
	$(BUILD)/slabsim test scenarios/history -q --bless --gallery docs/bug-gallery.md

.PHONY: check-clients
check-clients: $(BUILD)/slabsim ## feed exports to the tools that read them, as far as there are any
	@tests/tools/setup.sh $(PACKAGES_CLIENTS) || true
	@tests/tools/clients.sh $(BUILD)

.PHONY: asan
asan: ## build with address and undefined behaviour sanitizers in build/asan, and test
	@$(MAKE) BUILD=build/asan OPT='-O1 -g -DSIM_ASSERT_SLOW' SANITIZE=address,undefined test

.PHONY: valgrind
valgrind: ## run a subset of the unit tests and one scenario under valgrind
	@tests/tools/setup.sh $(PACKAGES_CHECK) valgrind
	@$(MAKE) BUILD=build/valgrind OPT='-O1 -g -DSLABSIM_VALGRIND' valgrind-run

.PHONY: valgrind-run
valgrind-run: $(BUILD)/slabsim $(BUILD)/slabsim-tests
	@tests/tools/valgrind.sh $(BUILD)

.PHONY: determinism
determinism: ## compare the traces of all compilers, optimisation levels and environments
	@$(MAKE) BUILD=build/gcc-O0 CC=gcc OPT=-O0 all
	@$(MAKE) BUILD=build/gcc-O3 CC=gcc OPT=-O3 all
	@if command -v clang >/dev/null; then $(MAKE) BUILD=build/clang-O2 CC=clang OPT=-O2 all; fi
	@$(MAKE) BUILD=build/asan OPT='-O1 -g -DSIM_ASSERT_SLOW' SANITIZE=address,undefined all
	@tests/tools/determinism.sh build/gcc-O0 build/gcc-O3 build/clang-O2 build/asan

SOAK ?= 600
SOAK_SEED ?= 1

.PHONY: soak
soak: $(BUILD)/slabsim-soak ## compare all engines on generated programs for SOAK=600 seconds
	$(BUILD)/slabsim-soak $(BUILD)/soak $(SOAK) $(SOAK_SEED)

.PHONY: bench
bench: $(BENCH_BINS) $(BUILD)/slabsim ## build and run every benchmark (BENCH_LONG=1: for minutes)
	@missed=0; for b in $(BENCH_BINS); do \
		echo "== $${b##*/}"; $$b || missed=1; done; \
	echo "== page"; tests/bench/page.sh $(BUILD) || missed=1; exit $$missed

.PHONY: studies
studies: $(BUILD)/slabsim ## run every study and put what it says into docs/studies.md
	@tests/tools/studies.sh $(BUILD)/slabsim docs/studies.md

.PHONY: check-studies
check-studies: $(BUILD)/slabsim ## run every study, and compare with docs/studies.md
	@cp docs/studies.md $(BUILD)/studies.md
	@tests/tools/studies.sh $(BUILD)/slabsim $(BUILD)/studies.md
	@diff -u docs/studies.md $(BUILD)/studies.md

##@ Source

.PHONY: lint
lint: ## check layers, forbidden calls, text, format, and run cppcheck
	@tests/lint/lint.sh $(BUILD)

.PHONY: format
format: ## format all C files
	@clang-format -i $(FORMATTED)

.PHONY: format-check
format-check: ## say which C files are not formatted
	@clang-format --dry-run -Werror $(FORMATTED)

##@ Install

MAN = $(BUILD)/man/slabsim.1 docs/man/slabsim-trace.5

$(BUILD)/man/slabsim.1: docs/man/slabsim.1 docs/man/commands.awk $(BUILD)/slabsim
	@mkdir -p $(@D)
	$(Q)awk -v SLABSIM=$(BUILD)/slabsim -f docs/man/commands.awk $< >$@

.PHONY: man
man: $(MAN) ## make the manual pages

.PHONY: install
install: $(BUILD)/slabsim $(MAN) ## install into PREFIX (default /usr/local), below DESTDIR
	install -D $(BUILD)/slabsim $(DESTDIR)$(PREFIX)/bin/slabsim
	@for page in $(MAN); do \
		install -D -m 644 $$page \
			$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit 1; done
	install -D -m 644 sim/cli/completion.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/slabsim
	@find scenarios lua/meta -type f 2>/dev/null | while read -r f; do \
		install -D -m 644 "$$f" "$(DESTDIR)$(PREFIX)/share/slabsim/$$f" || exit 1; done

.PHONY: uninstall
uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/slabsim \
		$(DESTDIR)$(PREFIX)/share/man/man1/slabsim.1 \
		$(DESTDIR)$(PREFIX)/share/man/man5/slabsim-trace.5 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/slabsim
	rm -rf $(DESTDIR)$(PREFIX)/share/slabsim

.PHONY: clean
clean: ## remove build and out
	rm -rf build out

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^##@/ { print "\n" substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile
