# `make help` says what there is. Cargo does the work; this prepares the machine and ties steps together.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help prepare demo test properties kills storm check bench dist install clean

PREFIX ?= /usr/local
CARGO ?= cargo

help: ## Show this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '%-16s %s\n' "$$name" "$$text"; done

prepare: ## Install or name what the build needs, and fetch the DuckDB library
	@scripts/prepare.sh
	@scripts/duckdb.sh

demo: prepare ## Show a promotion from end to end in a throw-away folder
	@$(CARGO) build --locked --bin promote
	@$(CARGO) run --locked --quiet --bin promote -- demo

test: prepare ## Run all tests
	$(CARGO) test --locked

properties: prepare ## Try thousands of random schemas on both engines (PROMOTE_PROPERTIES=DUCKDB,POSTGRES)
	PROMOTE_PROPERTIES=$${PROMOTE_PROPERTIES:-10000,1000} $(CARGO) test --locked --test suite -- properties --nocapture

kills: prepare ## Kill a promotion at random, PROMOTE_KILLS=500 times; a second run has to end the same
	PROMOTE_KILLS=$${PROMOTE_KILLS:-500} $(CARGO) test --locked --test suite -- killed --nocapture

storm: prepare ## Start PROMOTE_STORM=200 promotions into one branch at once; none may be lost
	PROMOTE_STORM=$${PROMOTE_STORM:-200} $(CARGO) test --locked --test suite -- storm --nocapture

check: ## Run what CI runs: format, lints, documentation, tests
	@.ci/run

bench: prepare ## Run the benchmarks
	$(CARGO) bench --locked --bench '*'

dist: prepare ## Build dist/promote-VERSION-TARGET.tar.gz and its checksum
	@CARGO='$(CARGO)' scripts/dist.sh

install: dist ## Install below PREFIX (default /usr/local)
	@scripts/install.sh '$(DESTDIR)$(PREFIX)'

clean: ## Remove what was built, but not the DuckDB library
	$(CARGO) clean --package promote
	rm -rf dist
