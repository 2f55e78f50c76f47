# The developer commands; CI calls these and nothing else. `make help` lists them.
#
# Everything lives in .venv and target/, both ignored by git. Three stamps there say what is up to date:
#   .venv/.tools    a virtual environment that can build the extension
#   .venv/.native   the extension built (release) and the package installed in place
#   .venv/.dev      what the checks and tests need besides
# and .venv-peers/.ready that the clients of other systems are installed, for the bench alone.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
PEERS := .venv-peers
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
MATURIN := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin
CARGO := cargo
# More workers than cores only makes timings on a shared machine worse.
PYTEST := $(BIN)/python -m pytest
PYTEST_WORKERS ?= 2

RUST_SOURCES := Cargo.toml Cargo.lock $(shell find rust -name '*.rs' -o -name Cargo.toml)

.PHONY: help
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the two commands of the README -------------------------------------------------------------

.PHONY: up
up: $(VENV)/.native ## Build what is needed, start name server and broker (ARGS="--data DIR ...")
	@exec $(BIN)/rmq up $(ARGS)

.PHONY: test
test: test-rust test-python ## Build and run every test that needs Python and cargo only

.PHONY: soak
soak: $(VENV)/.dev ## The outages that the tests make, at full length (a minute each), and groups under thousands of schedules
	OUTAGE_SECONDS=60 $(PYTEST) tests/e2e/test_outages.py $(ARGS)
	ORDER_SECONDS=120 $(PYTEST) tests/e2e/test_order.py $(ARGS)
	ORDERED_SCHEDULES=20000 $(PYTEST) tests/property/test_ordered_schedules.py --timeout 1200 $(ARGS)
	GROUP_SCHEDULES=2000 $(PYTEST) tests/property/test_group_schedules.py $(ARGS)
	MIXED_GROUP_SECONDS=120 $(PYTEST) tests/interop/test_mixed_group_crashes.py -s $(ARGS)

.PHONY: soak-store
soak-store: $(VENV)/.native ## A broker with 100 million messages, twice; half an hour, 35 GB of disk
	$(CARGO) build --release --locked --quiet -p rocketmq-lite-bench
	$(BIN)/python -m bench.soak $(ARGS)

.PHONY: bench-micro
bench-micro: tools-present ## The engine alone against what this machine can do (ARGS="--rounds 9")
	$(CARGO) run --release --locked --quiet -p rocketmq-lite-bench --bin rmq-micro -- $(ARGS)

.PHONY: crash
crash: tools-present $(VENV)/.dev ## A thousand deaths of the process, and power cuts, at full length (CRASH_SEED, POWER_LOSS_SEED repeat)
	CRASH_ROUNDS=$${CRASH_ROUNDS:-1000} $(CARGO) test -p rocketmq-lite-core --test crash --locked -- --nocapture acknowledged
	POWER_LOSS_SUBSETS=$${POWER_LOSS_SUBSETS:-1000} $(CARGO) test -p rocketmq-lite-core --test power_loss --release --locked -- --nocapture
	CRASH_ROUNDS=$${BROKER_ROUNDS:-100} $(PYTEST) tests/e2e/test_sigkill.py tests/e2e/test_sigkill_progress.py --timeout 3600 $(ARGS)

# Without a sanitizer, since nothing unsafe is in what is fuzzed; so the stable toolchain will do. Overflows are errors.
FUZZ_TARGETS ?= frame header record queue extensions index recovery
.PHONY: fuzz
fuzz: tools-present ## Each decoder with arbitrary bytes, FUZZ_SECONDS each (60); FUZZ_TARGETS="index" for some
	@scripts/require cargo-fuzz 'cargo-fuzz (cargo install cargo-fuzz --locked)'
	for target in $(FUZZ_TARGETS); do \
		mkdir -p target/fuzz/found/$$target; \
		$(CARGO) fuzz run --fuzz-dir rust/fuzz --target-dir target/fuzz --sanitizer none \
			$$target target/fuzz/found/$$target rust/fuzz/corpus/$$target \
			-- -max_total_time=$${FUZZ_SECONDS:-60} -max_len=4096 -timeout=10; \
	done

.PHONY: test-rust
test-rust: tools-present
	$(CARGO) test --workspace --locked --quiet

.PHONY: test-python
test-python: $(VENV)/.dev
	$(PYTEST) -m "not interop" -n $(PYTEST_WORKERS) --dist worksteal $(ARGS)

.PHONY: demo
demo: $(VENV)/.native ## A real file through a producer and a group of two (ARGS="--lines 50000")
	@$(BIN)/python examples/demo.py $(ARGS)

# --- checks ------------------------------------------------------------------------------------

.PHONY: check
check: $(VENV)/.dev ## Format, lint, types, contracts, clippy, unit tests; never writes to the tree
	$(CARGO) fmt --all --check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest rocketmq_lite._native --mypy-config-file pyproject.toml
	$(BIN)/lint-imports
	$(CARGO) clippy --workspace --all-targets --locked --quiet -- -D warnings
	$(CARGO) test --workspace --lib --locked --quiet
	$(PYTEST) tests/unit -q

.PHONY: fix
fix: $(VENV)/.dev ## The writing twin of check: format and apply safe fixes
	$(CARGO) fmt --all
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# --- the judges --------------------------------------------------------------------------------

.PHONY: interop
interop: $(VENV)/.dev ## Apache's clients, brokers and mqadmin as judges (needs a JDK, Maven and Go)
	@scripts/require java 'a JDK, 17 or newer (Debian: apt-get install default-jdk-headless)'
	@scripts/require mvn 'Maven (Debian: apt-get install maven)'
	@scripts/require go 'Go, 1.19 or newer (Debian: apt-get install golang-go)'
	$(PYTEST) tests/interop -m interop --timeout 300 -n $(PYTEST_WORKERS) --dist worksteal $(ARGS)

# --- packages and figures ----------------------------------------------------------------------

.PHONY: wheel
wheel: $(VENV)/.tools ## Build the abi3 wheel and the source distribution into dist/
	rm -rf dist
	$(MATURIN) build --release --locked --out dist
	$(MATURIN) sdist --out dist

.PHONY: bench
bench: $(VENV)/.native bench-peers ## Measure everything against its peers (ARGS="--only 20 30"; half an hour)
	$(BIN)/python -m bench.run $(ARGS)

.PHONY: bench-quick
bench-quick: $(VENV)/.native bench-peers ## The same within three minutes: shorter, once, against fewer peers
	$(BIN)/python -m bench.run --quick $(ARGS)

.PHONY: bench-connections
bench-connections: $(VENV)/.native ## What 10,000 idle connections cost a broker
	$(BIN)/python -m bench.connections

.PHONY: bench-cold
bench-cold: $(VENV)/.native ## Whether reading old data slows a sender down (ARGS=DIR on the disk to try)
	$(BIN)/python -m bench.cold_reads $(ARGS)

.PHONY: bench-peers
bench-peers: $(PEERS)/.ready ## What the bench compares with: peers' Python clients, nats-server, rmq-load
	$(CARGO) build --release --locked --quiet -p rocketmq-lite-bench
	@scripts/install-nats bench/target/bin

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(VENV) $(PEERS) target dist bench/target bench/java/target

# --- stamps ------------------------------------------------------------------------------------

.PHONY: tools-present
tools-present:
	@scripts/require cargo 'Rust with cargo, 1.88 or newer (rustup installs it)'

$(VENV)/.tools: | tools-present
	@scripts/require-python $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(PIP) 'maturin>=1.9,<2'
	@touch $@

$(VENV)/.native: $(VENV)/.tools pyproject.toml $(RUST_SOURCES)
	$(MATURIN) develop --release --locked --quiet
	@touch $@

$(VENV)/.dev: $(VENV)/.native pyproject.toml
	$(PIP) $$($(BIN)/python scripts/dev_requirements.py)
	@touch $@

$(PEERS)/.ready: bench/requirements.txt
	@scripts/require-python $(PYTHON)
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
