# Vestige. `make help` lists what there is.
SHELL := /bin/bash
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# Every build takes the versions of Package.resolved and no others.
SWIFT_BUILD := swift build --only-use-versions-from-resolved-file

.PHONY: help setup demo test golden nightly bench package format lint clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: ## Install the system libraries that are missing: RE2, SQLite, zlib, libdeflate, libmaxminddb
	@if [ "$$(uname)" = Darwin ]; then \
		for p in re2 libdeflate libmaxminddb pkg-config; do brew list $$p >/dev/null 2>&1 || brew install $$p; done; \
	elif command -v dpkg >/dev/null; then \
		missing=; for p in libre2-dev libsqlite3-dev zlib1g-dev libdeflate-dev libmaxminddb-dev pkg-config; do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
		if [ -n "$$missing" ]; then echo "installing$$missing"; $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi; \
	else echo "install the development files of re2, sqlite3, zlib, libdeflate and libmaxminddb, then run make again"; fi

demo: setup ## Build, start a simulated tenant, collect from it, and serve the workbench
	$(SWIFT_BUILD) -c release --product vestige
	.build/release/vestige demo

# Tests that keep every core busy for long: those that wait for answers over HTTP would run out of time beside them, and
# beside hundreds of others.
HEAVY := EdgeSearchTests|DeepQueryTests|BudgetTests|QueryServiceTests|ForensicsTests
WIDTH := $(shell swift test --help-hidden 2>/dev/null | grep -q -- --experimental-maximum-parallelization-width \
	&& echo --experimental-maximum-parallelization-width 8)

test: setup ## Run every test that needs no network
	$(SWIFT_BUILD) --build-tests
	swift test --skip-build $(WIDTH) --skip '$(HEAVY)'
	swift test --skip-build $(WIDTH) --filter '$(HEAVY)'

golden: ## Take over the new pages and drawings that tests found to differ, once they were looked at
	@find Tests -name '*.actual' | while read -r f; do mv -v "$$f" "$${f%.actual}"; done

nightly: ## Run what takes hours: soak, history, a large snapshot, faults, kills, fuzzing (CONTRIBUTING.md)
	.ci/nightly

bench: setup ## Measure
	swift run -c release vestige demo --no-serve --workspace .build/bench.vestige

package: setup ## Build a release: the program, its symbols apart, content, units, licences, bill of materials, sums
	Packaging/package.sh

format: ## Format the sources
	swift format -i -r Sources Tests Package.swift

lint: ## Fail on a formatting difference
	swift format lint --strict -r Sources Tests Package.swift

clean: ## Remove what was built
	rm -rf .build
