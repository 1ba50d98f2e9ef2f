# make run, make test: all that a fresh Debian machine needs beyond make and a Swift 6.2+ toolchain is installed by them.

# The one list of Debian packages, for building and running, and for the tests on top of it.
PACKAGES      := liblua5.4-dev libssl-dev zlib1g-dev libcurl4-openssl-dev
TEST_PACKAGES := chromium curl lua-cjson-dev

SWIFT       ?= swift
SWIFT_FLAGS := --explicit-target-dependency-import-check error
SUDO        := $(if $(filter 0,$(shell id -u)),,sudo)
SOURCES     := Package.swift Sources Tests
# Tests that start the program: the last run has them start the release build.
PROGRAM     := ServerTests\.(AcceptedPushes|CertificateStart|Command|Descriptor|ExitCode|IdleMemory|LogKey|NewCommand|Notify|PassedSockets|ReloadCommand|ScriptKey|Serve|Soak|StopSignal|TestCommand|UnixSocket|Upgrade)Tests
# For the program: make run ARGS='--listen 0.0.0.0:8080'
ARGS        ?=
FUZZ_SECONDS ?= 600
SOAK_SECONDS ?= 60
MODEL_SEEDS ?= 100
MODEL_FIRST ?= 1
SANITIZERS   ?= address thread
RELOAD_CROWD ?= 10000
ATTACK_WAITS ?= 100
ROUNDS      ?= 3
SECS        ?= 2

.DEFAULT_GOAL := help

.PHONY: help run build test test-one fuzz soak model reload-crowd attack-waits sanitize lint format bench compare config packages test-packages toolchain clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: build ## install what is needed, build, and serve Scripts/
	.build/release/perigee serve $(ARGS)

build: packages ## the release build
	$(SWIFT) build -c release --product perigee $(SWIFT_FLAGS)

test: packages test-packages lint ## everything that CI runs
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	.build/debug/perigee test Scripts
	$(SWIFT) test --skip-build
	PERIGEETEST_TLS=1 $(SWIFT) test --skip-build --filter '^ServerTests\.'
	$(SWIFT) build -c release --product perigee $(SWIFT_FLAGS)
	PERIGEETEST_PROGRAM=$(CURDIR)/.build/release/perigee $(SWIFT) test --skip-build --filter '^$(PROGRAM)'

test-one: packages ## some tests alone: FILTER='HandshakeTests' or FILTER='HTTP1Tests\.' or any other regular expression
	@test -n '$(FILTER)' || { echo "make test-one FILTER='HandshakeTests'"; exit 2; }
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	$(SWIFT) test --skip-build --filter '$(FILTER)'

fuzz: packages ## every reader of bytes from outside, FUZZ_SECONDS=600 each, two at a time; ARGS='http frames' for some
	FUZZ_SECONDS=$(FUZZ_SECONDS) SWIFT=$(SWIFT) Tests/Fuzz/run $(ARGS)

soak: packages test-packages ## SOAK_SECONDS=60 of everything at once, then nothing may be left; SOAK_SEED=… repeats a run
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	SOAK_SECONDS=$(SOAK_SECONDS) SOAK_SEED=$(SOAK_SEED) $(SWIFT) test --skip-build --filter SoakTests

model: packages test-packages ## MODEL_SEEDS=100 random lives of a worker beside its model, beginning with MODEL_FIRST=1
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	MODEL_SEEDS=$(MODEL_SEEDS) MODEL_FIRST=$(MODEL_FIRST) $(SWIFT) test --skip-build --filter WorkerModelTests

reload-crowd: build ## 100 reloads under RELOAD_CROWD=10000 talking clients, and how long the workers stood still
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	RELOAD_CROWD=$(RELOAD_CROWD) PERIGEETEST_PROGRAM=$(CURDIR)/.build/release/perigee \
	  $(SWIFT) test --skip-build --filter ReloadCrowdTests

attack-waits: build ## how long an echo client waits at worst beside each attack; wants a quiet machine
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	PERIGEETEST_ATTACK_WAITS=$(ATTACK_WAITS) PERIGEETEST_PROGRAM=$(CURDIR)/.build/release/perigee \
	  $(SWIFT) test --skip-build --filter AttackWaitTests

sanitize: packages test-packages ## all tests under AddressSanitizer, then under ThreadSanitizer
	@set -e; for sanitizer in $(SANITIZERS); do \
	  echo "--- $$sanitizer"; \
	  $(SWIFT) build --build-tests $(SWIFT_FLAGS) --sanitize=$$sanitizer --scratch-path .build-$$sanitizer; \
	  LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/leaks.supp TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/races.supp \
	    $(SWIFT) test --skip-build --disable-xctest --sanitize=$$sanitizer --scratch-path .build-$$sanitizer; \
	done

lint: toolchain ## formatting of all Swift files
	$(SWIFT) format lint --strict --recursive $(SOURCES)

format: toolchain ## put all Swift files into shape
	$(SWIFT) format format --in-place --recursive $(SOURCES)

bench: packages ## release build, then the load generator against it
	$(SWIFT) build -c release --product perigee $(SWIFT_FLAGS)
	$(SWIFT) build -c release --product perigee-bench $(SWIFT_FLAGS)
	.build/release/perigee-bench $(ARGS)

compare: packages ## CPU time per message against a bare epoll server in C: ROUNDS=3 of SECS=2 for each row; ARGS='echo idle' for some
	$(SWIFT) build -c release --product perigee $(SWIFT_FLAGS)
	$(SWIFT) build -c release --product perigee-bench $(SWIFT_FLAGS)
	$(SWIFT) build -c release --product perigee-floor
	.build/release/perigee-bench compare --rounds $(ROUNDS) --seconds $(SECS) $(ARGS)

config: ## write config/perigee.yaml anew, after a key has changed
	$(SWIFT) run perigee config --defaults > config/perigee.yaml.new
	mv config/perigee.yaml.new config/perigee.yaml

packages: toolchain
	@$(call install,$(PACKAGES))

test-packages:
	@$(call install,$(TEST_PACKAGES))

toolchain:
	@command -v $(SWIFT) >/dev/null || { echo "Perigee needs a Swift 6.2 (or newer) toolchain: https://www.swift.org/install/linux/debian/"; exit 1; }

clean: ## remove what was built
	rm -rf .build .build-*

# Installs those of the packages that are missing; nothing is asked of apt when none is.
define install
missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
if [ -n "$$missing" ]; then echo "installing:" $$missing; \
  $(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null || exit 1; fi
endef
