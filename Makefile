# holdfast: `make demo` shows it, `make test` proves it.  Each sets up what it needs first.
# The extension's PGXS build is extension/extension.mk; the relay's is CMakeLists.txt.

PRESET     ?= release
PG_CONFIG  ?= /usr/lib/postgresql/15/bin/pg_config
KAFKA      ?= embedded
KEEP       ?=
export PG_CONFIG

BUILD      := build
BIN        := $(BUILD)/$(PRESET)/bin
PYTHON     := $(BUILD)/venv/bin/python
EXTENSION  := $(MAKE) --no-print-directory -f extension/extension.mk

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: setup setup-test
setup: ## install missing Debian packages, build librdkafka
	@tools/setup.sh

setup-test: ## and what the tests, lint and benchmarks need
	@tools/setup.sh --test

# ---- build ------------------------------------------------------------------------------------
.PHONY: relay extension install-extension install
relay: setup ## build the relay (PRESET=dev|release|asan|tsan|coverage)
	@[ -d $(BUILD)/$(PRESET) ] || echo "relay: building ($(PRESET)); the first time takes a few minutes"
	@cmake --preset $(PRESET) >$(BUILD)/cmake-$(PRESET).log 2>&1 || { tail -20 $(BUILD)/cmake-$(PRESET).log; exit 1; }
	@cmake --build --preset $(PRESET) -- --quiet

extension: setup ## build the extension
	@$(EXTENSION) extension

install-extension: setup ## build the extension and install it into PostgreSQL (root or sudo)
	@$(EXTENSION) install-extension

PREFIX ?= /usr/local
SUDO   := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
install: install-extension relay ## install extension, relay and systemd unit
	$(SUDO) install -D -m 0755 $(BIN)/holdfast-relay $(DESTDIR)$(PREFIX)/bin/holdfast-relay
	$(SUDO) install -D -m 0644 packaging/systemd/holdfast-relay.service $(DESTDIR)/etc/systemd/system/holdfast-relay.service

# ---- demo -------------------------------------------------------------------------------------
$(BUILD)/venv/.ready: test/requirements.txt examples/rest/requirements.txt
	@echo "python: making $(BUILD)/venv"
	@/usr/bin/python3 -m venv $(BUILD)/venv
	@$(PYTHON) -m pip install -q --disable-pip-version-check -r test/requirements.txt
	@touch $@

.PHONY: venv demo
venv: setup
	@$(MAKE) --no-print-directory $(BUILD)/venv/.ready

ifeq ($(KAFKA),real)
demo: setup-test
endif
demo: relay install-extension venv ## the main job, shown (KAFKA=real: Apache Kafka; KEEP=1: leave it running)
	@$(PYTHON) demo/demo.py --relay $(BIN)/holdfast-relay --kafka $(KAFKA) $(if $(KEEP),--keep)

# ---- tests ------------------------------------------------------------------------------------
.PHONY: test test-unit test-sanitizers test-regress test-isolation test-memory test-integration test-conformance test-demo soak jars
test: setup-test ## everything: unit, sanitizers, regress, isolation, memory, end to end, conformance, demo
	@$(MAKE) --no-print-directory test-unit
	@$(MAKE) --no-print-directory test-regress
	@$(MAKE) --no-print-directory test-isolation
	@$(MAKE) --no-print-directory test-integration
	@$(MAKE) --no-print-directory test-conformance
	@$(MAKE) --no-print-directory test-demo
	@$(MAKE) --no-print-directory test-memory
	@$(MAKE) --no-print-directory test-sanitizers
	@echo "test: everything passed"

test-unit: relay install-extension ## GoogleTest, per module
	@ctest --preset $(PRESET) --output-on-failure

test-sanitizers: setup ## unit tests under address+undefined and thread sanitizers
	@$(MAKE) --no-print-directory test-unit PRESET=asan
	@$(MAKE) --no-print-directory test-unit PRESET=tsan

test-regress: install-extension ## pg_regress on a scratch server
	@$(EXTENSION) regress

test-isolation: install-extension ## concurrent sessions
	@$(EXTENSION) isolation

test-memory: install-extension ## pg_regress in a server under valgrind
	@$(EXTENSION) regress-memory

jars: setup-test
	@for tool in kafka debezium jdbc_sink; do tools/$$tool.sh fetch || exit 1; done

test-integration: relay install-extension venv jars ## end to end on a real PostgreSQL and a real Kafka
	@$(PYTHON) -m pytest -q test/integration $(PYTEST_ARGS)

test-conformance: relay install-extension venv jars ## the relay's records against Debezium's, from the same WAL (CASE='types or toast' runs a few)
	@$(PYTHON) -m pytest -q -s test/conformance $(if $(CASE),-k '$(CASE)') $(if $(READER),--reader $(READER)) $(if $(GOLDEN),--golden)

test-demo: relay install-extension venv ## the demo's claims hold
	@$(PYTHON) demo/demo.py --relay $(BIN)/holdfast-relay --kafka embedded

soak: relay install-extension venv ## an hour of random walks, one shop a minute (HOLDFAST_WALK_SECONDS, HOLDFAST_WALK_SEED)
	@HOLDFAST_WALK_SECONDS=$(or $(HOLDFAST_WALK_SECONDS),3600) $(PYTHON) -m pytest -q -s test/integration/test_random_walk.py

.PHONY: fuzz
fuzz: setup-test ## libFuzzer on the decoder, on column encodings and on JSON, a minute each (FUZZ_SECONDS=60)
	@cmake --preset fuzz >$(BUILD)/cmake-fuzz.log 2>&1 || { tail -20 $(BUILD)/cmake-fuzz.log; exit 1; }
	@cmake --build --preset fuzz --target pgoutput_fuzz column_encoding_fuzz json_text_fuzz -- --quiet
	@mkdir -p $(foreach f,pgoutput column_encoding json_text,$(BUILD)/fuzz-corpus/$(f))
	$(BUILD)/fuzz/bin/pgoutput_fuzz -max_total_time=$(or $(FUZZ_SECONDS),60) -max_len=65536 \
	    -print_final_stats=1 $(BUILD)/fuzz-corpus/pgoutput test/fuzz/corpus
	$(BUILD)/fuzz/bin/column_encoding_fuzz -max_total_time=$(or $(FUZZ_SECONDS),60) -max_len=512 \
	    -dict=test/fuzz/column_encoding.dict -print_final_stats=1 $(BUILD)/fuzz-corpus/column_encoding
	$(BUILD)/fuzz/bin/json_text_fuzz -max_total_time=$(or $(FUZZ_SECONDS),60) -max_len=1024 \
	    -print_final_stats=1 $(BUILD)/fuzz-corpus/json_text

# ---- benchmarks -------------------------------------------------------------------------------
.PHONY: bench bench-orders bench-relay bench-growth bench-cdc
bench: bench-orders bench-relay bench-growth bench-cdc ## all, as ratios within one run

bench-orders: setup-test install-extension venv ## place_order against PL/pgSQL
	@$(PYTHON) test/bench/orders/run.py --document

bench-relay: setup-test relay install-extension venv ## the relay against pg_recvlogical; latency; inbox; round trip
	@$(PYTHON) test/bench/relay/bench.py --relay $(BIN)/holdfast-relay

bench-growth: setup-test install-extension venv ## an order's cost with 3,000,000 orders in the tables (20 GiB of disk)
	@$(PYTHON) test/bench/growth/run.py --document

bench-cdc: relay install-extension venv jars ## the relay beside Debezium (about an hour; sizes: test/bench/cdc/bench.py)
	@$(PYTHON) test/bench/cdc/bench.py --relay $(BIN)/holdfast-relay

# ---- lint -------------------------------------------------------------------------------------
.PHONY: lint format docs
docs: relay ## write the key tables of docs/configuration.md from the code
	@$(BIN)/holdfast-relay check --list-keys >$(BUILD)/keys.md
	@sed -i -e '/^<!-- keys/,/^<!-- \/keys/{/^<!-- keys/r $(BUILD)/keys.md' -e '/^<!-- /!d}' docs/configuration.md

lint: setup-test ## format, clang-tidy, the backend boundary, docs, docker and unit files
	@tools/lint/lint.sh

format: ## apply clang-format
	@git ls-files '*.cpp' '*.hpp' '*.c' '*.h' | xargs clang-format -i

.PHONY: clean
clean: ## remove what was built, but for downloaded dependencies
	@find $(BUILD) -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} +
