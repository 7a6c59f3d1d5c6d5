# Latchkey: run, test, build. Every target sets up what it misses and does nothing twice.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

say = @printf '==> %s\n'
# On a terminal cargo shows how far it is; in a log it says only what is wrong.
QUIET := $(shell [ -t 2 ] || echo --quiet)
CARGO_TARGET_DIR ?= target
DEBUG_BINARY := $(abspath $(CARGO_TARGET_DIR)/debug/latchkey)
RELEASE_BINARY := $(abspath $(CARGO_TARGET_DIR)/release/latchkey)

# What the browser is sent of the islands.
PKG := target/site/pkg
FRONT := --lib --target wasm32-unknown-unknown --profile wasm-release --no-default-features --features hydrate \
	--target-dir target/front
FRONT_WASM := target/front/wasm32-unknown-unknown/wasm-release/latchkey.wasm
# What rustc emits and every browser knows; "all" would add proposals that none does.
WASM_FEATURES := $(addprefix --enable-,bulk-memory bulk-memory-opt multivalue mutable-globals nontrapping-float-to-int \
	reference-types sign-ext)
FRONT_SOURCES := $(shell find src/shared src/islands -name '*.rs') src/lib.rs Cargo.toml Cargo.lock .cargo/config.toml

.PHONY: help
help: ## Lists the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: server ## Sets up what is missing and serves http://localhost:3000, with its data in ./data.
	$(say) 'Starting the server, with its data in ./data; Ctrl-C ends it'
	@exec $(DEBUG_BINARY) serve

.PHONY: watch
watch: ## Serves, and builds and serves again whenever a source file changes.
	@exec .ci/watch $(DEBUG_BINARY)

.PHONY: build
build: setup-rust target/site/.optimised ## Leaves target/release/latchkey, one file that needs nothing beside it.
	$(say) 'Building the server for release'
	@cargo build --locked $(QUIET) --release --bin latchkey
	@ls -l $(RELEASE_BINARY) | awk '{ printf "==> %s, %.1f MB\n", $$9, $$5 / 1e6 }'

.PHONY: bench
bench: setup-rust target/site/.optimised setup-postgres ## Measures, on both databases, and prints one table.
	$(say) 'Building the server and what measures it for release (many minutes the first time)'
	@cargo bench --locked $(QUIET) --no-run --bench front_door
	$(say) 'Measuring (about ten minutes)'
	@.ci/with-postgres cargo bench --locked --quiet --bench front_door

.PHONY: fuzz
fuzz: server setup-postgres ## Fires 20,000 requests at the API, on both databases, and holds the answers to its description.
	@.ci/setup schemathesis
	@.ci/with-postgres .ci/fuzz $(DEBUG_BINARY) 20000

.PHONY: test
test: setup-test ## Sets up what is missing and runs every test: style, unit, both databases, browser.
	@$(MAKE) check-format check-supply check-style server
	@.ci/with-postgres $(MAKE) test-app test-fuzz test-browser
	$(say) 'Everything passed'

# ----------------------------------------------------------------------------------------------------------------------
# Parts of the above

.PHONY: setup-rust setup-postgres setup-test
setup-rust:
	@.ci/setup rust wasm-bindgen
setup-postgres:
	@.ci/setup postgres
setup-test:
	@.ci/setup rust wasm-bindgen node chromium postgres mail-server schemathesis nginx

.PHONY: server
server: setup-rust target/site/.bound
	$(say) 'Building the server (minutes the first time)'
	@cargo build --locked $(QUIET) --bin latchkey

# The islands as WebAssembly: made anew only when something changed that reaches the browser.
target/site/.bound: $(FRONT_SOURCES) | setup-rust
	$(say) 'Building the islands (minutes the first time)'
	@cargo build --locked $(QUIET) $(FRONT)
	@mkdir -p $(PKG)
	@target/tools/bin/wasm-bindgen --target web --no-typescript --out-name latchkey --out-dir $(PKG) $(FRONT_WASM)
	@touch $@

target/site/.optimised: target/site/.bound
	@.ci/setup node
	$(say) 'Making the islands small'
	@end2end/node_modules/.bin/wasm-opt -Oz $(WASM_FEATURES) $(PKG)/latchkey_bg.wasm -o $(PKG)/latchkey_bg.wasm.small
	@mv $(PKG)/latchkey_bg.wasm.small $(PKG)/latchkey_bg.wasm
	@touch $@

.PHONY: check-format check-style
check-format:
	$(say) 'Checking the format'
	@cargo fmt --check
check-style: target/site/.bound
	$(say) 'Checking the style'
	@cargo clippy --locked --quiet --all-targets -- -D warnings
	@cargo clippy --locked --quiet $(FRONT) -- -D warnings

# TLS comes from rustls with ring alone; a second implementation would be dead weight or, worse, be used.
.PHONY: check-supply
check-supply:
	$(say) 'Checking the dependencies'
	@for crate in openssl-sys native-tls aws-lc-rs; do \
		if cargo tree --locked --quiet --target all --edges all --invert $$crate 2>/dev/null | grep .; then \
			echo "!!! $$crate must not be among the dependencies" >&2; exit 1; \
		fi; \
	done

.PHONY: test-app
test-app:
	$(say) 'Testing the rules, and the server through its front door'
	@cargo test --locked --quiet --no-fail-fast

.PHONY: test-fuzz
test-fuzz: setup-test server
	@.ci/fuzz $(DEBUG_BINARY) quick

.PHONY: test-browser
test-browser: setup-test server
	$(say) 'Testing in the browser'
	@cd end2end && LATCHKEY_BINARY=$${LATCHKEY_BINARY:-$(DEBUG_BINARY)} npx --no-install playwright test

.PHONY: screenshots
screenshots: setup-test server
	@cd end2end && LATCHKEY_BINARY=$${LATCHKEY_BINARY:-$(DEBUG_BINARY)} npx --no-install playwright test --config screenshots.config.ts
	$(say) 'See end2end/screenshots'
