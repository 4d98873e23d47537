# make run    build everything that is missing and serve the examples
# make test   the same set-up, then every test
# make check  format, vet, lint, tidy, generate; fails on any difference
# make attack attack a running host in every way of the catalogue
# make conformance  run suites that others wrote inside the guest
# make bench  measure wasgi beside its peers
# make help   all targets

SHELL := /bin/bash
export CGO_ENABLED := 0
# go.mod names the toolchain; auto lets an older Go fetch it as a module.
export GOTOOLCHAIN := auto
GO ?= go
ADDR ?= 127.0.0.1:8000
# Where the examples keep their data, releases and snapshots.
STATE ?= $(CURDIR)/.wasgi
# How long make fuzz runs each target.
FUZZTIME ?= 1m
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

# The go command that wasgi is built and tested with: wazero and net/http have
# patches, see host/sandbox/wazero and host/nethttp. PATH is for the commands that it runs.
PATCHED := PATH='$(CURDIR)/.nethttp/go/bin':"$$PATH" GOROOT='$(CURDIR)/.nethttp/go' GOTOOLCHAIN=local \
  GOFLAGS="$$GOFLAGS '-modfile=$(CURDIR)/.wazero/go.mod' '-overlay=$(CURDIR)/.nethttp/overlay.json'" '$(CURDIR)/.nethttp/go/bin/go'

.PHONY: run build guest patches test attack conformance fuzz check fmt generate bench python tools go help clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: build python ## build what is missing, prepare the examples, serve them on $(ADDR)
	@bin/wasgi python --app tenants/examples/django --state-dir '$(STATE)' manage.py migrate --verbosity 0
	@exec bin/wasgi serve --root tenants/examples --listen '$(ADDR)' --state-dir '$(STATE)'

build: guest patches ## build the static binary bin/wasgi
	@echo "wasgi: building bin/wasgi"
	@$(PATCHED) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/wasgi ./cmd/wasgi

guest: go ## build the guest: CPython and its standard library for WebAssembly
	@$(GO) run ./pywasm/build

patches: go guest # which installs the program patch
	@$(GO) run ./host/sandbox/wazero
	@$(GO) run ./host/nethttp

go:
	@command -v $(GO) >/dev/null || { echo "wasgi: Go is missing. Install Go 1.21 or newer (https://go.dev/dl) and put it on PATH; it fetches the version that go.mod names by itself." >&2; exit 1; }

python: # with pip, which the examples need
	@command -v python3 >/dev/null || { echo "wasgi: python3 is missing; installing it"; $(SUDO) apt-get install -y --no-install-recommends python3; }
	@command -v uv >/dev/null || python3 -m pip --version >/dev/null 2>&1 || { echo "wasgi: pip is missing; installing python3-pip"; \
	  { $(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q --no-install-recommends python3-pip; } >/dev/null || \
	  { echo "wasgi: could not install python3-pip. Install uv or pip for python3 by hand, then run make again." >&2; exit 1; }; }

tools: python ## install what the examples and tests need: python3 with pip, nginx, curl, PostgreSQL, Redis, MariaDB, chromium
	@[ -x /usr/sbin/nginx ] && [ -e /usr/lib/nginx/modules/ngx_stream_module.so ] && command -v curl >/dev/null || { echo "wasgi: nginx or curl is missing; installing nginx, libnginx-mod-stream and curl"; \
	  { $(SUDO) apt-get update -q && $(SUDO) env RUNLEVEL=1 apt-get install -y -q --no-install-recommends nginx libnginx-mod-stream curl; } >/dev/null || \
	  echo "wasgi: could not install them: tests behind nginx are left out" >&2; }
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && [ -x /usr/bin/redis-server ] && [ -x /usr/sbin/mariadbd ] || { echo "wasgi: a database server is missing; installing postgresql, redis-server and mariadb-server"; \
	  { $(SUDO) apt-get update -q && $(SUDO) env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql redis-server mariadb-server; } >/dev/null || \
	  echo "wasgi: could not install them: tests with databases are left out" >&2; }
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { echo "wasgi: chromium is missing; installing it"; \
	  { $(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q --no-install-recommends chromium; } >/dev/null || \
	  echo "wasgi: could not install it: tests of the console in a browser are left out" >&2; }

test: build tools ## run every test, and those of the binary with worker processes too
	@$(PATCHED) test -timeout 30m ./...
	@WASGI_TEST_ISOLATION_LEVEL=process $(PATCHED) test -timeout 30m ./cmd/wasgi/e2e

attack: build tools ## make every attack of the catalogue, the long ones too, and print a table
	@WASGI_ATTACK_TIME=1m $(PATCHED) test -count 1 -run 'Race$$' ./wasi
	@set -o pipefail; WASGI_ATTACK=1 $(PATCHED) test -timeout 60m -count 1 -run 'TestAttack$$|TestSQLiteLosesNothing$$|TestDeployKilled$$' -v ./cmd/wasgi/e2e | grep -v '^=== '

# The suites come as source distributions, and only pip can fetch those. The
# overlay for the guest takes the place of that for net/http, which no suite needs.
conformance: build tools ## run the suites of CPython, Django, Flask, drivers of databases and others inside the guest, write pywasm/conformance/RESULTS.md
	@python3 -m pip --version >/dev/null 2>&1 || { echo "wasgi: pip is missing; installing python3-pip"; \
	  { $(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q --no-install-recommends python3-pip; } >/dev/null; }
	@$(GO) run ./pywasm/build --test-modules --out bin/tests-guest
	@printf '{"Replace": {"%s": "%s", "%s": "%s", "%s": "%s"}}' $(foreach file,python.wasm rootfs.zip manifest.json,'$(CURDIR)/pywasm/artifact/$(file)' '$(CURDIR)/bin/tests-guest/$(file)') >bin/tests-guest/overlay.json
	@$(PATCHED) build -trimpath -overlay '$(CURDIR)/bin/tests-guest/overlay.json' -o bin/wasgi-tests ./cmd/wasgi
	@$(GO) run ./pywasm/conformance --wasgi-tests bin/wasgi-tests

# Ten tries to make an input smaller: with seconds for each, slow targets did little else.
fuzz: patches ## run every fuzz target for FUZZTIME, one after the other
	@set -o pipefail; grep -rHoE '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' . | sed -E 's|/[^/]+:func | |' | sort | { bad=0; while read -r dir name; do \
	  echo "wasgi: $$dir $$name"; \
	  $(PATCHED) test "$$dir" -run '^$$' -fuzz "^$$name\$$" -fuzztime '$(FUZZTIME)' -fuzzminimizetime 10x || bad=1; \
	done; exit $$bad; }

# 3 is a finding. Anything else but 0 is no verdict: without its database
# (GOVULNDB, https://vuln.go.dev if unset) nothing was checked, and that is said.
define VULNCHECK
out=$$($(GO) tool govulncheck ./... 2>&1); code=$$?; case $$code in \
0) ;; \
3) echo "$$out"; exit 1;; \
*) echo "govulncheck gave no verdict, set GOVULNDB to a database within reach: $$out" >&2;; \
esac
endef

check: go ## format, vet, lint, tidy, generate; fails on any difference
	@bad=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$bad" ] || { echo "not formatted, run make fmt:"; echo "$$bad"; exit 1; }
	@$(GO) vet ./...
	@$(GO) tool staticcheck ./...
	@$(VULNCHECK)
	@$(GO) mod tidy -diff
	@before=$$(git diff | sha256sum); $(GO) generate ./... || exit 1; [ "$$before" = "$$(git diff | sha256sum)" ] || \
	  { git status --short; echo "generated files were stale: commit what go generate wrote" >&2; exit 1; }

fmt: ## format the Go code
	@gofmt -w $$(git ls-files '*.go')

generate: ## write generated files
	@$(GO) generate ./...

bench: build tools ## measure wasgi beside its peers, write host/bench/RESULTS.md; ARGS="--only flask,cold", see --help
	@$(PATCHED) run ./host/bench $(ARGS)

clean: ## remove the binary, the artifact and the examples' state (the build cache stays)
	@rm -rf bin .wasgi .wazero .nethttp pywasm/artifact/python.wasm pywasm/artifact/rootfs.zip pywasm/artifact/manifest.json
