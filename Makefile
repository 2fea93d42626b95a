# gridloop: `make help` lists what can be made. Outputs go to build/ and nowhere else.

# ---- what must be installed (Debian 12 names): the one list ------------------------------------------------------

BUILD_PACKAGES = gcc libc6-dev make libevent-dev libhiredis-dev libsqlite3-dev libprotobuf-c-dev \
	protobuf-c-compiler libssl-dev zlib1g-dev uthash-dev libjansson-dev libexpat1-dev libgeos-dev \
	libjpeg62-turbo-dev libpng-dev tzdata
CHECK_PACKAGES = libcmocka-dev redis-server openssl python3 nodejs npm mandoc
SANITIZE_PACKAGES = valgrind
TORTURE_PACKAGES = clang libclang-rt-14-dev clang-19 llvm-19 libclang-rt-19-dev libfaketime nftables iproute2 e2fsprogs
SERVICE_PACKAGES = systemd util-linux iproute2 redis-tools
PACKAGE_PACKAGES = debhelper dpkg-dev debootstrap lintian mandoc util-linux iproute2
LINT_PACKAGES = universal-ctags clang-format clang-tidy cppcheck

# ---- switches ----------------------------------------------------------------------------------------------------
# make SANITIZE=address,undefined   the same under sanitizers, in a folder of its own
# make WERROR=1                     warnings are errors (for CI: a new compiler must not stop a user's build)
# make V=1                          prints each command whole
# make DESTDIR=… PREFIX=… install

SANITIZE =
WERROR =
V =
PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
UNITDIR = $(PREFIX)/lib/systemd/system
SYSUSERSDIR = $(PREFIX)/lib/sysusers.d
TMPFILESDIR = $(PREFIX)/lib/tmpfiles.d
DOCDIR = $(PREFIX)/share/doc/gridloop
MANDIR = $(PREFIX)/share/man
EXAMPLEDIR = $(PREFIX)/share/gridloop/example
SYSCONFDIR = /etc

comma = ,
BUILD = build$(if $(SANITIZE),/san-$(subst $(comma),-,$(SANITIZE)))

CC = gcc
OPTIMISE = -O2 -D_FORTIFY_SOURCE=2
CFLAGS = -g
CPPFLAGS =
LDFLAGS =
ifneq ($(SANITIZE),)
# Fortified calls would hide from the sanitizer what they check themselves.
OPTIMISE = -O1 -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
endif

WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Wwrite-strings \
	$(if $(WERROR),-Werror)
INCLUDES = -Iinclude -I$(BUILD)/gen
STANDARD = -std=gnu17 -D_GNU_SOURCE -pthread -fPIE -fstack-protector-strong
COMPILE = $(CC) $(STANDARD) $(OPTIMISE) $(CFLAGS) $(INCLUDES) $(CPPFLAGS)
LINK = $(CC) -pthread -pie -Wl,-z,relro,-z,now $(OPTIMISE) $(LDFLAGS)
LIBS = -levent_core -levent_extra -levent_openssl -levent_pthreads -lhiredis -lsqlite3 -lprotobuf-c -lssl -lcrypto -ljansson -lexpat -lgeos_c -ljpeg -lpng -lz -lm

# ---- what there is -----------------------------------------------------------------------------------------------

DAEMON_SRC = $(sort $(wildcard daemon/*/*.c))
CLI_SRC = $(sort $(wildcard cli/*.c))

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
# In bench/ and the folders of tests/, a file with a main is a program; the folder's other files are a kit for them, an
# archive, so that a program takes only what it uses and may put its own stub in place of the rest.
mains = $(if $(wildcard $(1)/*.c),$(sort $(shell grep -l '^int main\b' $(wildcard $(1)/*.c))))
programs = $(patsubst %.c,$(BUILD)/%,$(call mains,$(1)))
parts = $(call objects,$(filter-out $(call mains,$(1)),$(wildcard $(1)/*.c)))

GEN = $(patsubst proto/%.proto,$(BUILD)/gen/%.pb-c,$(sort $(wildcard proto/*.proto)))
LIB = $(BUILD)/libgridloop.a
UNIT_TESTS = $(call programs,tests/unit)
SCENARIO_TESTS = $(call programs,tests/scenario)
FAULT_TESTS = $(call programs,tests/fault)
SIMULATION = $(call programs,tests/simulate)
# What fault harnesses preload into the daemon.
PRELOADS = $(patsubst tests/fault/preload/%.c,$(BUILD)/tests/fault/%.so,$(wildcard tests/fault/preload/*.c))
BENCHES = $(call programs,bench)
MAN_PAGES = $(patsubst docs/%,$(BUILD)/%,$(sort $(wildcard docs/man/*.[1-8])))

# ---- targets -----------------------------------------------------------------------------------------------------

.DEFAULT_GOAL = all
.PHONY: evaluate-due evaluate-merge all man deb check-package packages-package tests help flags clean install lint format docs bench demo serve replay check test-unit test-scenario test-system \
	fuzz fuzzers fuzz-programs coverage mutate link-flags check-sanitize check-service torture packages packages-service packages-torture packages-build packages-check packages-sanitize packages-lint FORCE
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

## all: the daemon, the command line and their manual pages, in build/
all: $(BUILD)/gridloopd $(BUILD)/gridloop man
man: $(MAN_PAGES)

help:
	@sed -n 's/^## //p' Makefile

flags:
	@echo '$(COMPILE) $(WARNINGS)'

tests: $(UNIT_TESTS) $(SCENARIO_TESTS) $(FAULT_TESTS) $(SIMULATION) $(PRELOADS)

## check: every quick test; ends with "N passed, M failed, K skipped"
check: all tests | packages-check
	@BUILD=$(BUILD) tests/run unit scenario system

## test-unit, test-scenario, test-system: one part of it
test-unit: $(UNIT_TESTS) | packages-check
	@BUILD=$(BUILD) tests/run unit

test-scenario: $(SCENARIO_TESTS) all | packages-check
	@BUILD=$(BUILD) tests/run scenario

test-system: all | packages-check
	@BUILD=$(BUILD) tests/run system

## check-sanitize: the tests under ASan+UBSan, TSan and (a few) valgrind; SHORT=1 leaves out the slow ones
check-sanitize: | packages-check packages-sanitize
	@MAKE='$(MAKE)' tests/sanitize $(if $(SHORT),short)

## fuzz [SECONDS=120]: the fuzzing targets of tests/fuzz, so many seconds each; ends with JSON
fuzz: fuzzers
	@BUILD=$(BUILD) tests/fuzz/run --seconds $(or $(SECONDS),120)

fuzzers: | packages-check packages-torture
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined WARNINGS=-w fuzz-programs

## coverage: branches and MC/DC of framing, keys, table and guards, ledger and rights: all of them or a stated reason
coverage: all tests | packages-torture
	@BUILD=$(BUILD) tests/coverage/run

## mutate [SAMPLE=n [SEED=n]]: changes the table and the ledger one spot at a time, and looks whether a test notices; ends with JSON
mutate: all tests | packages-check
	@BUILD=$(BUILD) tests/mutate/run $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

# For the two above, which compile and link single files: a line each.
link-flags:
	@echo '$(COMPILE)'
	@echo '$(LINK)'
	@echo '$(LIBS)'

## torture [SHORT=1] [ONLY='name …'] [SEED=n]: the harnesses of tests/fault against power cuts, kills and more; ends with JSON
torture: all $(FAULT_TESTS) $(SIMULATION) $(PRELOADS) $(if $(ONLY),$(if $(filter fuzz,$(ONLY)),fuzzers),fuzzers) | packages-check packages-torture
	@BUILD=$(BUILD) tests/fault/run $(if $(SHORT),--short) $(addprefix --only ,$(ONLY)) $(if $(SEED),--seed $(SEED))

## check-service [SHORT=1]: the installed units under a real systemd, in namespaces of their own; root; ends with JSON
check-service: all | packages-check packages-service
	@BUILD=$(BUILD) RESTARTS=$(if $(SHORT),10,50) python3 tests/service/check.py

## deb: the Debian package, in build/deb/
DEB = build/deb
DEB_VERSION = $(shell sed -n 's/.*GRIDLOOP_VERSION "\(.*\)"/\1/p' include/base/version.h)
DEB_TREE = $(DEB)/gridloop-$(DEB_VERSION)
deb: | packages-build packages-package
	@head -n 1 debian/changelog | grep -qF 'gridloop ($(DEB_VERSION)) ' || \
		{ echo 'debian/changelog does not begin with the version of include/base/version.h, $(DEB_VERSION)' >&2; exit 1; }
	@rm -rf $(DEB) && mkdir -p $(DEB_TREE)
	@git ls-files -z -co --exclude-standard | xargs -0 cp --parents -t $(DEB_TREE)
	cd $(DEB_TREE) && env -u MAKEFLAGS -u MFLAGS dpkg-buildpackage --build=binary --no-sign -j2
	@ls -l $(DEB)/*.deb

## check-package [SHORT=1]: the package under lintian and, without SHORT, in a clean Debian; root; ends with JSON
check-package: deb
	@python3 tests/package/check.py $(if $(SHORT),short)

## lint: arrows between folders, sizes, format, clang-tidy, cppcheck
lint: $(GEN:=.h) | packages-build packages-lint
	@COMPILE='$(COMPILE)' WARNINGS='$(WARNINGS)' tests/lint/run

## format: what lint's format check asks for
format: | packages-lint
	clang-format -i $$(git ls-files -co --exclude-standard -- '*.c' '*.h')

## docs: the generated parts of docs/workflow.md and docs/rights.md
docs: $(BUILD)/tests/unit/test_workflow_doc $(BUILD)/tests/unit/test_rights_doc
	$(BUILD)/tests/unit/test_workflow_doc --write
	$(BUILD)/tests/unit/test_rights_doc --write

## demo: a street's day through the real daemon
demo: all | packages-check
	@BUILD=$(BUILD) python3 tests/system/demo.py

## serve: the daemon in the foreground on the sample jurisdiction, Redis beside it, ports 7311 (TCP) and 8311 (HTTP)
serve: all | packages-check
	@BUILD=$(BUILD) python3 tests/system/serve.py

## replay FILE=… [MAP=… [MERGE=no]] [DOOR=tcp|redis] [TZ_NAME=…]: a city's 311 CSV through the daemon
replay: all $(BENCHES) | packages-check
	@BUILD=$(BUILD) FILE='$(FILE)' MAP='$(MAP)' MERGE='$(MERGE)' DOOR='$(DOOR)' TZ_NAME='$(TZ_NAME)' python3 tests/system/replay.py

## evaluate-due FILE=… [TZ_NAME=America/New_York] [CALENDAR=…]: the work calendar against a city's own due dates
DUE = config/examples/boston-2011
evaluate-due: $(BUILD)/bench/due
	@test -n '$(FILE)' || { echo 'make evaluate-due FILE=requests.csv[.gz] [TZ_NAME=…] [CALENDAR=calendar.csv]'; exit 2; }
	@TZ='$(or $(TZ_NAME),America/New_York)' $< '$(FILE)' $(DUE)/policy.conf '$(or $(CALENDAR),$(DUE)/calendar.csv)'

## evaluate-merge FILE=… [TZ_NAME=…] [JURISDICTION=…]: what the merging finds of a city's own duplicates; ends with JSON
evaluate-merge: all
	@test -n '$(FILE)' || { echo 'make evaluate-merge FILE=requests.csv[.gz] [TZ_NAME=America/New_York]' >&2; exit 2; }
	@$(BUILD)/gridloop evaluate-merge $(if $(TZ_NAME),--tz '$(TZ_NAME)') \
		$(if $(JURISDICTION),--jurisdiction '$(JURISDICTION)') '$(FILE)'

## bench [SHORT=1]: side-by-side speed; ends with one line of JSON
bench: all $(BENCHES) | packages-check
	@BUILD=$(BUILD) SHORT='$(SHORT)' bench/run

## packages: installs what is missing for all of this (asks for sudo only when something is)
packages: packages-build packages-check packages-sanitize packages-lint packages-service packages-torture

packages-build:
	@.ci/packages $(BUILD_PACKAGES)
packages-check: | packages-build
	@.ci/packages $(CHECK_PACKAGES)
packages-sanitize: | packages-check
	@.ci/packages $(SANITIZE_PACKAGES)
packages-torture: | packages-check
	@.ci/packages $(TORTURE_PACKAGES)
packages-service: | packages-check
	@.ci/packages $(SERVICE_PACKAGES)
packages-package: | packages-check
	@.ci/packages $(PACKAGE_PACKAGES)
packages-lint: | packages-sanitize
	@.ci/packages $(LINT_PACKAGES)

## install [DESTDIR=…] [PREFIX=/usr/local]: programs, units, manual pages, documents, the configuration (never over yours)
# The sample street goes where nobody serves it by accident: its tokens are public.
install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR) $(DESTDIR)$(TMPFILESDIR) \
		$(DESTDIR)$(DOCDIR) $(DESTDIR)$(EXAMPLEDIR) $(DESTDIR)$(SYSCONFDIR)/gridloop
	install -m 755 $(BUILD)/gridloopd $(BUILD)/gridloop $(DESTDIR)$(BINDIR)
	for unit in $(wildcard systemd/*.service systemd/*.socket systemd/*.timer); do \
		sed 's|/usr/bin/gridloop|$(BINDIR)/gridloop|' $$unit >$(DESTDIR)$(UNITDIR)/$${unit##*/} || exit 1; \
	done
	install -m 644 systemd/gridloop.sysusers $(DESTDIR)$(SYSUSERSDIR)/gridloop.conf
	install -m 644 systemd/gridloop.tmpfiles $(DESTDIR)$(TMPFILESDIR)/gridloop.conf
	for page in $(MAN_PAGES); do \
		install -D -m 644 -t $(DESTDIR)$(MANDIR)/man$${page##*.} $$page || exit 1; \
	done
	cp -n config/gridloop.conf $(DESTDIR)$(SYSCONFDIR)/gridloop
	cp -r config/. $(DESTDIR)$(EXAMPLEDIR)
	sed -E -e '/^# !!!/d' -e 's/,[0-9a-f]{64},/,,/' -e '1i # Every person here is INVENTED, and none has a token yet.' \
		config/jurisdiction/people.csv >$(DESTDIR)$(EXAMPLEDIR)/jurisdiction/people.csv
	cp $(wildcard docs/*.md) proto/gridloop.proto $(DESTDIR)$(DOCDIR)

## clean: removes build/
clean:
	rm -rf build

# What a recipe does in a word and a name, or with V=1 the command itself.
Q = $(if $(V),,@)
say = $(if $(V),@:,@printf '%8s %s\n' '$(1)' '$(2)')

# ---- how ---------------------------------------------------------------------------------------------------------

$(BUILD)/gridloopd: $(call objects,daemon/main.c) $(LIB)
$(BUILD)/gridloop: $(call objects,$(CLI_SRC)) $(LIB)
$(BUILD)/gridloopd $(BUILD)/gridloop:
	$(call say,link,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS)

# A page with the programs' own tables in it.
$(BUILD)/docs/man/tables: $(BUILD)/obj/docs/man/tables.o $(filter-out %/main.o,$(call objects,$(CLI_SRC))) $(LIB)
	@mkdir -p $(@D)
	$(call say,link,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS)
$(MAN_PAGES): $(BUILD)/%: docs/% $(BUILD)/docs/man/tables
	@mkdir -p $(@D)
	$(call say,page,$@)
	$(Q)$(BUILD)/docs/man/tables <$< >$@

$(BENCHES): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/bench/kit.a $(LIB)
$(UNIT_TESTS): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/tests/unit/kit.a $(LIB)
$(SCENARIO_TESTS): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/tests/scenario/kit.a $(LIB)
$(FAULT_TESTS): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/tests/fault/kit.a $(LIB)
# The simulation stands in for the queue, and between a few functions and their callers.
$(SIMULATION): LDFLAGS += -Wl,--wrap=casebook_apply,--wrap=case_next_timer,--wrap=store_recover,--wrap=store_begin,--wrap=store_commit,--wrap=clock_system
$(SIMULATION): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/tests/simulate/kit.a $(BUILD)/tests/fault/kit.a $(BUILD)/tests/scenario/kit.a $(LIB)
$(BENCHES) $(UNIT_TESTS) $(SCENARIO_TESTS) $(FAULT_TESTS) $(SIMULATION):
	@mkdir -p $(@D)
	$(call say,link,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS) $(if $(filter $(BUILD)/tests/%,$@),-lcmocka)

# The store of a street goes by the street's clock, as the writer does.
$(BUILD)/tests/fault/power_cuts $(BUILD)/tests/fault/vfs_faults: LDFLAGS += -Wl,--wrap=clock_system
# Controls that do not look at what a commit says, or answer before it, stand between the writer and the store.
$(BUILD)/tests/fault/vfs_faults $(BUILD)/tests/fault/power_cuts: LDFLAGS += -Wl,--wrap=store_commit
# A control whose steps of a migration are not one transaction.
$(BUILD)/tests/fault/migrations: LDFLAGS += -Wl,--wrap=connection_execute
# Without fortified calls and sanitizers: they would be the preloaded code's, inside another program.
$(PRELOADS): $(BUILD)/tests/fault/%.so: tests/fault/preload/%.c $(BUILD)/flags | packages-build
	@mkdir -p $(@D)
	$(call say,link,$@)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE -pthread -fPIC -shared -O2 -g $(WARNINGS) -fno-builtin -o $@ $<
# Made by `fuzzers` in a build of its own; each once more with a bug planted in it.
FUZZERS = $(patsubst tests/fuzz/%.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_KIT = $(call objects,tests/fuzz/kit.c tests/unit/policy_folder.c) $(LIB)
fuzz-programs: $(FUZZERS) $(FUZZERS:=-planted)
$(FUZZERS): $(BUILD)/%: $(BUILD)/obj/tests/fuzz/%.o $(FUZZ_KIT)
$(FUZZERS:=-planted): $(BUILD)/%-planted: $(BUILD)/obj/planted/tests/fuzz/%.o $(FUZZ_KIT)
$(FUZZERS) $(FUZZERS:=-planted):
	$(call say,link,$@)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBS) -lcmocka
$(BUILD)/obj/planted/%.o: %.c $(BUILD)/flags | $(GEN:=.h)
	@mkdir -p $(@D)
	$(call say,compile,$<)
	$(Q)$(COMPILE) -DPLANTED $(WARNINGS) -MMD -MP -c -o $@ $<

$(LIB): $(call objects,$(DAEMON_SRC)) $(GEN:=.o)
KITS = $(addprefix $(BUILD)/,bench/kit.a tests/unit/kit.a tests/scenario/kit.a tests/fault/kit.a tests/simulate/kit.a)
$(BUILD)/bench/kit.a: $(call parts,bench)
$(BUILD)/tests/unit/kit.a: $(call parts,tests/unit)
$(BUILD)/tests/scenario/kit.a: $(call parts,tests/scenario)
$(BUILD)/tests/fault/kit.a: $(call parts,tests/fault)
$(BUILD)/tests/simulate/kit.a: $(call parts,tests/simulate)
# Built beside its place and moved in, so that two makes at once never read half a library.
$(LIB) $(KITS):
	@mkdir -p $(@D)
	$(call say,archive,$@)
	$(Q)rm -f $@.$$$$ && ar rcs $@.$$$$ $^ && mv $@.$$$$ $@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags | $(GEN:=.h) packages-build
	@mkdir -p $(@D)
	$(call say,compile,$<)
	$(Q)$(COMPILE) $(WARNINGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/tests/%.o: | packages-check

# Texts become byte strings before C is made of the contracts. The bytes on the wire are the same; but protobuf-c gives
# a `string` as a char * whose length is lost and whose UTF-8 nobody checked. Only "string name = number;" is touched.
$(BUILD)/gen/%.proto: proto/%.proto
	@mkdir -p $(@D)
	$(Q)sed -E 's/\bstring ([a-z_]+ = [0-9]+;)/bytes \1/g' $< >$@

$(BUILD)/gen/%.pb-c.c: $(BUILD)/gen/%.proto | packages-build
	$(call say,generate,$@)
	$(Q)protoc-c --c_out=$(@D) --proto_path=$(<D) $<
$(GEN:=.h): %.h: %.c ;
.SECONDARY: $(GEN:.pb-c=.proto)

# Generated code answers to its generator, not to our warnings.
$(GEN:=.o): %.o: %.c $(BUILD)/flags
	$(call say,compile,$<)
	$(Q)$(COMPILE) -w -c -o $@ $<

# Everything is compiled anew when the command changes.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(WARNINGS)' | cmp -s - $@ || echo '$(COMPILE) $(WARNINGS)' >$@

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
