# On a fresh Debian machine with make and a Swift 6.2+ toolchain, `make run` and `make test` install everything else.

# The only list of Debian packages: for building and running, and in addition for the tests.
PACKAGES      := liblua5.4-dev libssl-dev zlib1g-dev libcurl4-openssl-dev libsqlite3-dev
TEST_PACKAGES := chromium curl lua-cjson-dev sqlite3

SWIFT       ?= swift
SWIFT_FLAGS := --explicit-target-dependency-import-check error
SUDO        := $(if $(filter 0,$(shell id -u)),,sudo)
SOURCES     := Package.swift Sources Tests
PAGES       := Sources/perigee/Documentation.docc
# Suites that start the program, which name what starts it: the last run has them start the release build.
STARTERS    := PerigeeProcess|PerigeeProgram|ActivatedProcess|try Soak
PROGRAM      = ServerTests\.($(shell grep -rlE --exclude=SuiteTests.swift '$(STARTERS)' Tests/ServerTests | sed -nE 's|.*/([A-Za-z0-9]+Tests)\.swift|\1|p' | sort | paste -sd '|'))
# For the program: make run ARGS='--listen 0.0.0.0:8080'
ARGS        ?=
FUZZ_SECONDS ?= 600
SOAK_SECONDS ?= 60
MODEL_SEEDS ?= 100
MODEL_FIRST ?= 1
TURNS       ?= 1000000
SANITIZE    ?=
OUTPUT_MODEL_FLAGS = $(if $(SANITIZE),--sanitize=$(SANITIZE) --scratch-path .build-$(SANITIZE))
SANITIZERS   ?= address thread
RELOAD_CROWD ?= 10000
ATTACK_WAITS ?= 100
# The test target that the filter names: then only this target is built, with all that it needs.
ONE_TARGET   = $(shell printf '%s' '$(FILTER)' | sed -nE 's/^\^?([A-Za-z0-9]+Tests)\\\.[^|]*$$/PERIGEETEST_TARGET=\1/p')
ROUNDS      ?= 3
SECS        ?= 2

.DEFAULT_GOAL := help

.PHONY: help run build test test-one fuzz soak model output-model reload-crowd attack-waits sanitize lint format bench compare config docs packages test-packages toolchain program-suites clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: build ## install the packages, build, and serve Scripts/
	.build/release/perigee serve $(ARGS)

build: packages ## build for release
	$(SWIFT) build -c release --product perigee $(SWIFT_FLAGS)

test: packages test-packages lint ## run everything that CI runs
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	.build/debug/perigee test Scripts
	Tests/run $(SWIFT) test --skip-build
	PERIGEETEST_TLS=1 Tests/run $(SWIFT) test --skip-build --filter '^ServerTests\.'
	$(SWIFT) build -c release --product perigee $(SWIFT_FLAGS)
	$(SWIFT) build -c release --product perigee-bench $(SWIFT_FLAGS)
	$(SWIFT) build -c release --product perigee-floor
	PERIGEETEST_PROGRAM=$(CURDIR)/.build/release/perigee Tests/run $(SWIFT) test --skip-build --filter '^$(PROGRAM)'

test-one: packages ## run some tests: FILTER='HandshakeTests', FILTER='HTTP1Tests\.' or any other regular expression
	@test -n '$(FILTER)' || { echo "make test-one FILTER='HandshakeTests'"; exit 2; }
	$(ONE_TARGET) $(SWIFT) build --build-tests $(SWIFT_FLAGS)
	$(ONE_TARGET) Tests/run $(SWIFT) test --skip-build --filter '$(FILTER)'

fuzz: packages ## fuzz every parser, FUZZ_SECONDS=600 each, two at a time; ARGS='http frames' for some
	FUZZ_SECONDS=$(FUZZ_SECONDS) SWIFT=$(SWIFT) Tests/Fuzz/run $(ARGS)

soak: packages test-packages ## run everything at once for SOAK_SECONDS=60, then look for remains; SOAK_SEED=… repeats a run
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	SOAK_SECONDS=$(SOAK_SECONDS) SOAK_SEED=$(SOAK_SEED) Tests/run $(SWIFT) test --skip-build --filter SoakTests

model: packages test-packages ## run MODEL_SEEDS=100 random lives of a worker beside its model, from MODEL_FIRST=1 on
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	MODEL_SEEDS=$(MODEL_SEEDS) MODEL_FIRST=$(MODEL_FIRST) Tests/run $(SWIFT) test --skip-build --filter WorkerModelTests

output-model: packages test-packages ## hold the output against a model for TURNS=1000000 random turns (64000 at least); SANITIZE=address adds the sanitizer
	$(SWIFT) build --build-tests $(SWIFT_FLAGS) $(OUTPUT_MODEL_FLAGS)
	PERIGEETEST_OUTPUT_TURNS=$(TURNS) LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/leaks.supp \
	  Tests/run $(SWIFT) test --skip-build --disable-xctest $(OUTPUT_MODEL_FLAGS) --filter OutputModelTests

reload-crowd: build ## reload 100 times under RELOAD_CROWD=10000 talking clients, and measure how long workers pause
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	RELOAD_CROWD=$(RELOAD_CROWD) PERIGEETEST_PROGRAM=$(CURDIR)/.build/release/perigee \
	  Tests/run $(SWIFT) test --skip-build --filter ReloadCrowdTests

attack-waits: build ## measure the longest wait of an echo client beside each attack; needs a quiet machine
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	PERIGEETEST_ATTACK_WAITS=$(ATTACK_WAITS) PERIGEETEST_PROGRAM=$(CURDIR)/.build/release/perigee \
	  Tests/run $(SWIFT) test --skip-build --filter AttackWaitTests

sanitize: packages test-packages ## run all tests under AddressSanitizer, then under ThreadSanitizer
	@set -e; for sanitizer in $(SANITIZERS); do \
	  echo "--- $$sanitizer"; \
	  $(SWIFT) build --build-tests $(SWIFT_FLAGS) --sanitize=$$sanitizer --scratch-path .build-$$sanitizer; \
	  LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/leaks.supp TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/races.supp \
	    Tests/run $(SWIFT) test --skip-build --disable-xctest --sanitize=$$sanitizer --scratch-path .build-$$sanitizer; \
	done

lint: toolchain ## check the format of all Swift files
	$(SWIFT) format lint --strict --recursive $(SOURCES)

format: toolchain ## format all Swift files
	$(SWIFT) format format --in-place --recursive $(SOURCES)

bench: packages ## measure the release build with the load generator; ARGS='echo --size 1024'
	$(SWIFT) build -c release --product perigee $(SWIFT_FLAGS)
	$(SWIFT) build -c release --product perigee-bench $(SWIFT_FLAGS)
	.build/release/perigee-bench $(ARGS)

compare: packages ## compare CPU time per message with a bare epoll server: ROUNDS=3 of SECS=2; ARGS='echo idle' for some rows
	$(SWIFT) build -c release --product perigee $(SWIFT_FLAGS)
	$(SWIFT) build -c release --product perigee-bench $(SWIFT_FLAGS)
	$(SWIFT) build -c release --product perigee-floor
	.build/release/perigee-bench compare --rounds $(ROUNDS) --seconds $(SECS) $(ARGS)

config: ## write config/perigee.yaml again, after a key has changed
	$(SWIFT) run perigee config --defaults > config/perigee.yaml.new
	mv config/perigee.yaml.new config/perigee.yaml

# The pages link each other, and files of the repository, as Markdown does; DocC gets its own kind of links, and none out of the catalogue.
docs: toolchain ## build the documentation as web pages in .build/docs/html, where the toolchain has DocC
	@docc=$$(command -v docc || echo "$$(dirname "$$(readlink -f "$$(command -v $(SWIFT))")")/docc"); \
	[ -x "$$docc" ] || { echo "This toolchain has no docc. Read $(PAGES)/Perigee.md, which is Markdown."; exit 1; }; \
	rm -rf .build/docs && mkdir -p .build/docs && cp -r $(PAGES) .build/docs/Perigee.docc && \
	sed -i -E -e 's|\]\(([A-Za-z]+)\.md(#[^)]*)?\)|](doc:\1)|g' -e 's|\[([^]]*)\]\(\.\./[^)]*\)|\1|g' \
	  -e 's|\]\(Resources/|](|' .build/docs/Perigee.docc/*.md && \
	sed -i '1a\\n@Metadata {\n    @TechnologyRoot\n}' .build/docs/Perigee.docc/Perigee.md && \
	"$$docc" convert .build/docs/Perigee.docc --fallback-display-name Perigee --fallback-bundle-identifier perigee \
	  --warnings-as-errors --transform-for-static-hosting --output-dir .build/docs/html && \
	echo "The documentation is in .build/docs/html."

packages: toolchain
	@$(call install,$(PACKAGES))

test-packages:
	@$(call install,$(TEST_PACKAGES))

toolchain:
	@command -v $(SWIFT) >/dev/null || { echo "Perigee needs a Swift 6.2 (or newer) toolchain: https://www.swift.org/install/linux/debian/"; exit 1; }

program-suites:
	@echo '$(PROGRAM)'

clean: ## remove all build products
	rm -rf .build .build-*

# Installs missing packages; does not call apt when there are none.
define install
missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
if [ -n "$$missing" ]; then echo "installing:" $$missing; \
  $(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null || exit 1; fi
endef
