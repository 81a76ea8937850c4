# The commands of this repository; `make help` lists them. Each is a script that can be read and run by itself.

PREFIX ?= /usr/local
DESTDIR ?=
ARGS ?=

.PHONY: help run build test test-values test-kills check conformance bench format transcripts-accept install test-install clean

help: ## list these commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1	\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 28

run: ## set up, build and start meta (ARGS='…' are its arguments; standard input is passed on)
	@scripts/setup run && scripts/build && exec scripts/start $(ARGS)

build: ## the program: .build/release/meta
	@scripts/setup build && scripts/build

test: ## set up what the tests need, then every test
	@scripts/setup test && scripts/build && exec scripts/test

test-values: ## the values' differential properties at length (META_VALUES=200; META_SEED repeats a run)
	@scripts/setup test && scripts/build && META_VALUES=$${META_VALUES:-200} exec .venv/bin/python -m pytest -q Tests/values

test-kills: ## arrays under kills at random moments and many cycles, at length (META_KILLS=500, META_CYCLES=100000; META_SEED)
	@scripts/setup test && scripts/build && META_KILLS=$${META_KILLS:-500} META_CYCLES=$${META_CYCLES:-100000} META_LONG=1 exec .venv/bin/python -m pytest -q Tests/arrays

check: ## format, C and kernel checkers, the arrows between rooms, links
	@scripts/setup check && exec scripts/check

conformance: ## grade the kernels that meta brings and the example against every rule of the protocol
	@scripts/setup run && scripts/build && exec scripts/conformance $(ARGS)

bench: ## measure against contenders and write docs/benchmarks.md (ARGS='WORD …' only some rows, --long the long forms)
	@scripts/setup bench && scripts/build && exec python3 scripts/bench $(ARGS)

format: ## format the Swift sources in place
	@swift format --in-place --recursive Package.swift Sources Tests

transcripts-accept: ## rewrite the expected output of transcripts from what meta prints now; review with git diff
	@scripts/setup test && scripts/build && exec .venv/bin/python -m pytest --accept Tests/transcripts

install: ## program, manual, completions and license under PREFIX (and DESTDIR)
	@scripts/setup build && scripts/build && exec scripts/install "$(DESTDIR)" "$(PREFIX)"

test-install: ## install into a temporary DESTDIR and try what is there; needs man
	@scripts/setup test && scripts/build && exec scripts/test-install

clean: ## remove what was built and the tests' virtual environment
	@rm -rf .build .venv
