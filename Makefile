# Each target is one line over a script. Variables are passed on: make demo PATIENTS=100 SEED=7, make test TESTS=<file>.

NODE := node_modules/node/bin/node# the program itself: node_modules/.bin/node is a wrapper that does not pass on signals
STACK := packages/stack/src
CORE := packages/core/src/cli
TESTS ?=
BENCH ?= export

# What is given and not there is named before anything starts.
BENCHES := $(basename $(notdir $(wildcard packages/bench/src/*.ts)))
$(if $(filter $(BENCHES),$(BENCH)),,$(error BENCH=$(BENCH): no such benchmark; there are $(BENCHES)))
$(foreach file,$(TESTS),$(if $(wildcard $(file)),,$(error TESTS=$(file): no such file)))

# One test by a part of its name, as tap wants to be told.
ifdef ONLY
export TAP_GREP := $(ONLY)
endif
# Under a debugger, and to be run again and again, a file runs without the runner, which would keep the debugger's address to itself.
ONE_FILE = $(if $(filter 1,$(words $(TESTS))),$(TESTS),$(error one file is wanted: TESTS=<file>))
RUN_TESTS = $(if $(INSPECT),--inspect-brk $(ONE_FILE),$(STACK)/run-tests.ts $(TESTS))
ifdef INSPECT
export TAP_TIMEOUT := 0
endif

.DEFAULT_GOAL := help
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*\#\#.*/\1/p' Makefile)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

install: node_modules/.modules.yaml ## the packages of the lockfile (the other targets do it when needed)

node_modules/.modules.yaml: pnpm-lock.yaml
	@sh $(STACK)/install.sh && touch $@

demo: install ## an export from an empty database to checked files (PATIENTS=10000 SEED=1, or DATA=<folder of FHIR data>; STORE=node: in Kubo)
	@$(NODE) $(STACK)/demo.ts

start: install ## API and worker on port 3000, data kept in .data/start, with tokens to paste (PATIENTS=1000 SEED=1, or DATA=)
	@$(NODE) $(STACK)/start.ts

up: ## PostgreSQL, Redis, Kubo, API and workers in containers, from docker/.env (WORKERS=1)
	@cd docker && docker compose up --build --detach --wait --scale worker=$(or $(WORKERS),1)

down: ## ends them, and keeps their data
	@cd docker && docker compose down

test: install ## on real servers, the matrices as a sample (TESTS=<files> ONLY='a name' INSPECT=1; SEED=<of the sample>)
	@$(NODE) $(STACK)/with-stack.ts -- $(NODE) $(RUN_TESTS)

test-all: install ## everything, as CI does (TESTS=<files>; REQUIRE_ALL=1: nothing may be left out)
	@$(NODE) $(STACK)/with-stack.ts -- $(NODE) $(STACK)/run-tests.ts --all $(TESTS)

test-faults: install ## the suite that breaks every part, whole (a part of test-all)
	@$(NODE) $(STACK)/with-stack.ts -- $(NODE) $(STACK)/run-tests.ts --all $(wildcard packages/faults/test/*.test.ts)

test-bare: install ## the files that use an optional server, on a PATH without any
	@$(NODE) $(STACK)/test-bare.ts

watch: install ## one test file, again whenever something changes (TESTS=<file> ONLY='a name')
	@$(NODE) $(STACK)/with-stack.ts -- $(NODE) --watch-path=apps --watch-path=packages $(ONE_FILE)

soak: install ## mixed load while things break at random, and what it cost (MINUTES=5 SEED=1, ARGS='--store node --encrypted')
	@$(NODE) packages/faults/src/soak.ts --minutes $(or $(MINUTES),5) --seed $(or $(SEED),1) $(ARGS)

kubo: install ## the IPFS node of the tests, built with Go unless it is there (some minutes, once)
	@$(NODE) $(STACK)/kubo/install.ts

postgres-versions: install ## PostgreSQL 14 to 17 for the tests, into the user's cache (240 MB, once)
	@$(NODE) $(STACK)/postgres/install-versions.ts

check: types lint dead-code import-graph schema r4-current openapi ## types, lint, dead code, import graph, schema, the R4 table and OpenAPI

types: install ## TypeScript
	@$(NODE) node_modules/typescript/bin/tsc -p tsconfig.base.json

lint: install ## eslint with neostandard, and promises that nothing waits for (FIX=1)
	@$(NODE) node_modules/eslint/bin/eslint.js --config .config/eslint.config.js $(if $(FIX),--fix) .

format: ## lint mends what it can
	@$(MAKE) --no-print-directory lint FIX=1

dead-code: install ## files, exports and packages that nothing uses
	@$(NODE) node_modules/knip/bin/knip.js --config .config/knip.config.js

import-graph: install ## no cycle, no forbidden arrow
	@$(NODE) node_modules/dependency-cruiser/bin/dependency-cruiser.mjs --config .config/dependency-cruiser.config.js apps packages

openapi: install ## the OpenAPI document in .data/openapi.json, and whether clients can be generated from it
	@mkdir -p .data && $(NODE) apps/api/src/openapi/cli.ts .data/openapi.json
	@REDOCLY_SUPPRESS_UPDATE_NOTICE=true $(NODE) node_modules/@redocly/cli/bin/cli.js lint --config .config/redocly.yaml .data/openapi.json

schema: install ## migrations are as they landed, and what they make is as the types of the tables say
	@$(NODE) $(STACK)/schema/cli.ts

r4: install ## the table of FHIR R4, made of HL7's definitions
	@$(NODE) $(STACK)/r4/cli.ts

r4-current: install
	@$(NODE) $(STACK)/r4/cli.ts --check

bench: install ## one benchmark: BENCH=export|scale|shared|beside|memory|api|store|encryption|seed, ARGS='--rows 10000,100000' (packages/bench/README.md)
	@$(NODE) packages/bench/src/$(BENCH).ts $(ARGS)

generate: install ## an invented hospital in .data/generated: CSV of its rows, NDJSON of its resources (PATIENTS=10000 SEED=1)
	@$(NODE) $(STACK)/generate/cli.ts --patients $(or $(PATIENTS),10000) --seed $(or $(SEED),1) --out .data/generated

migrate: install ## the service's tables in DATABASE_URL, and the queue's in QUEUE_URL
	@$(NODE) $(CORE)/migrate.ts

load: install ## FHIR resources (.ndjson, .ndjson.gz, .json) into the source tables of DATABASE_URL (DATA=<folder>)
	@$(NODE) $(CORE)/load.ts $(DATA)

verify: install ## the files of an export against what was published (JOB=<the export's UUID>)
	@$(NODE) $(CORE)/verify.ts '$(JOB)'

client: install ## the clients of POST /auth/token in DATABASE_URL (ARGS='add lab --jwks-file lab.json --scope system/*.rs', list, disable lab, rotate lab …)
	@set -f; $(NODE) $(CORE)/client.ts $(ARGS)

client-key: install ## a key for a client, and the JWK Set to register it with (NAME=lab)
	@$(NODE) $(STACK)/client/create-key.ts --name '$(NAME)'

assertion: install ## what a client shows at POST /auth/token (CLIENT=lab KEY=lab.key.json URL=http://localhost:3000/auth/token)
	@$(NODE) $(STACK)/client/assertion.ts --client '$(CLIENT)' --key '$(KEY)' --url '$(URL)'

audit: install ## who did what, as FHIR AuditEvents (ARGS='--since 2026-02-01 --until 2026-03-01 [--export <id>] [--client <id>]')
	@$(NODE) $(CORE)/audit.ts $(ARGS)
