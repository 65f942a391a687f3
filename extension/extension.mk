# The extension: build, install, and its tests on scratch clusters.  Run from the repository's root:
#   make -f extension/extension.mk extension|install-extension|regress|isolation|regress-memory
PG_CONFIG ?= /usr/lib/postgresql/15/bin/pg_config
BUILD     ?= build
ROOT      := $(CURDIR)
SUDO      ?= $(shell [ "$$(id -u)" = 0 ] || echo sudo)

PG_PKGLIB   := $(shell $(PG_CONFIG) --pkglibdir)
PG_SHARE    := $(shell $(PG_CONFIG) --sharedir)/extension
PG_BIN      := $(shell $(PG_CONFIG) --bindir)
PG_TESTS    := $(dir $(shell $(PG_CONFIG) --pgxs))../test
EXT_BUILD   := $(BUILD)/extension
PGXS_BUILD   = $(MAKE) --no-print-directory -s -C $(1) -f $(ROOT)/extension/pgxs.mk ROOT=$(ROOT) PG_CONFIG=$(PG_CONFIG)

.PHONY: extension install-extension regress isolation regress-memory
extension:
	@$(PG_CONFIG) --version | grep -qE ' 1[5-8]' || \
	    { echo "extension: error: $$($(PG_CONFIG) --version) is not supported (PostgreSQL 15 to 18 are)"; exit 1; }
	@mkdir -p $(EXT_BUILD)
	@$(call PGXS_BUILD,$(EXT_BUILD)) all

# Asks for root only when a file really differs from what is installed.
install-extension: extension
	@if cmp -s $(EXT_BUILD)/holdfast.so $(PG_PKGLIB)/holdfast.so && \
	    cmp -s $(EXT_BUILD)/holdfast--1.0.sql $(PG_SHARE)/holdfast--1.0.sql && \
	    cmp -s extension/holdfast.control $(PG_SHARE)/holdfast.control; \
	then :; else \
	    echo "extension: installing into $(PG_PKGLIB)"; \
	    $(SUDO) install -m 0755 $(EXT_BUILD)/holdfast.so $(PG_PKGLIB)/.holdfast.so.new && \
	    $(SUDO) mv $(PG_PKGLIB)/.holdfast.so.new $(PG_PKGLIB)/holdfast.so && \
	    $(SUDO) install -m 0644 $(EXT_BUILD)/holdfast--1.0.sql extension/holdfast.control $(PG_SHARE)/; \
	fi

# Every file of the directory is a test, so none can be forgotten.
REGRESS_TESTS   := $(sort $(basename $(notdir $(wildcard test/regress/sql/*.sql))))
ISOLATION_TESTS := $(sort $(basename $(notdir $(wildcard test/isolation/specs/*.spec))))
TESTS           ?= $(REGRESS_TESTS)
SPECS           ?= $(ISOLATION_TESTS)

# $(call on_scratch_cluster,NAME,SETTINGS,COMMAND): the command finds PGHOST and PGPORT set.
on_scratch_cluster = \
    set -e; mkdir -p $(BUILD)/$(1); \
    where=$$(PG_BIN=$(PG_BIN) tools/pg_cluster.sh start $(BUILD)/$(1)/cluster $(2)); \
    trap 'PG_BIN=$(PG_BIN) tools/pg_cluster.sh stop $(BUILD)/$(1)/cluster' EXIT; \
    export PGHOST=$${where% *} PGPORT=$${where\#* } PGUSER=postgres; $(3)

REGRESS_RUN = $(PG_TESTS)/regress/pg_regress --bindir=$(PG_BIN) --host="$$PGHOST" --port="$$PGPORT" \
    --user=postgres --inputdir=test/regress --outputdir=$(BUILD)/$(1) --dbname=holdfast_regress \
    --load-extension=holdfast $(TESTS)

regress: install-extension
	@$(call on_scratch_cluster,regress,,$(call REGRESS_RUN,regress))

isolation: install-extension
	@$(call on_scratch_cluster,isolation,,$(PG_TESTS)/isolation/pg_isolation_regress --bindir=$(PG_BIN) \
	    --host="$$PGHOST" --port="$$PGPORT" --user=postgres --inputdir=test/isolation \
	    --outputdir=$(BUILD)/isolation --dbname=holdfast_isolation --load-extension=holdfast $(SPECS))

# The tests that reach the C++ code, in a server under valgrind.  (An address-sanitized module needs its
# run-time preloaded, and with Debian 12's a server hangs in bindtextdomain before it starts.)  Debian's
# server does not tell valgrind about its own allocator, so only reports that name the module count.
MEMORY_TESTS ?= error_boundary place_order place_order_errors place_orders order_requests early_lock_release stock \
    stock_row lifecycle handlers sagas waiting_room limits pricing coupons output_plugin
regress-memory: install-extension
	@rm -f $(BUILD)/regress-memory/cluster/valgrind.*
	@$(call on_scratch_cluster,regress-memory,,PG_BIN=$(PG_BIN) tools/pg_cluster.sh stop $(BUILD)/regress-memory/cluster; \
	    PG_BIN=$(PG_BIN) PG_UNDER=valgrind tools/pg_cluster.sh start $(BUILD)/regress-memory/cluster >/dev/null; \
	    $(call REGRESS_RUN,regress-memory); \
	    PG_BIN=$(PG_BIN) tools/pg_cluster.sh stop $(BUILD)/regress-memory/cluster)
	@tools/valgrind_report.sh $(BUILD)/regress-memory/cluster
regress-memory: TESTS = $(MEMORY_TESTS)
