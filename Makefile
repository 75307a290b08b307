# Everything a fresh Debian 12 machine with Go needs is installed by the targets themselves (as root): see integration/setup.sh.
GO      ?= go
BIN     := bin
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
SETUP   := ./integration/setup.sh
VM      := $(GO) run ./integration/cmd/vm
# A clone that belongs to another user has no VCS stamp to give; the version comes from git describe where that works.
# One set of flags for everything but the race detector: whatever two steps need is compiled once.
export GOFLAGS ?= -buildvcs=false -trimpath
export CGO_ENABLED ?= 0
LDFLAGS := -s -w -X main.version=$(VERSION)
export PATH := $(PATH):/usr/sbin:/sbin:/usr/local/go/bin
FUZZTIME ?= 20s

.PHONY: all build test unit netns kills vm systemd lint bench fuzz simulate demo setup clean

all: build

build:
	$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/holdfast ./cmd/holdfast

setup:
	@$(SETUP)

# test is everything, from unit tests to the virtual machine. Steps that take long say so.
test: setup
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory simulate
	@$(MAKE) --no-print-directory netns
	@$(MAKE) --no-print-directory vm
	@$(MAKE) --no-print-directory systemd
	@echo "make test: everything passed"

# Packages that failed run again, loudly (see again.sh); those that passed are not repeated.
unit:
	@echo "== unit tests (with the race detector; the first run compiles for a few minutes)"
	@$(GO) vet -tags 'netns vm bench systemd' ./...
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	@CGO_ENABLED=1 ./integration/again.sh $(GO) test -race -timeout 10m ./...

netns: setup
	@echo "== network namespaces: failover, adoption, hand-over, interop with keepalived"
	@$(GO) test -c -tags netns -o $(BIN)/netns.test ./integration/suite
	@$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/holdfast ./cmd/holdfast
	@./integration/again.sh $(GO) test -tags netns ./ipvssync/kernel ./vrrp/vrrpnet
	@./integration/again.sh $(GO) test -tags netns -run RealNetwork ./checkers/probe
	cd integration/suite && HOLDFAST=$(CURDIR)/$(BIN)/holdfast timeout -k 10 1800 $(CURDIR)/$(BIN)/netns.test -test.v -test.parallel 12 -test.timeout 29m

# kills is the long form of a test of netns: N times kill -9 at random moments. SEED repeats a run.
N ?= 200
kills: setup
	@$(GO) test -c -tags netns -o $(BIN)/netns.test ./integration/suite
	@$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/holdfast ./cmd/holdfast
	cd integration/suite && HOLDFAST_KILLS=$(N) HOLDFAST_SEED=$(SEED) HOLDFAST_SCENARIO_LIMIT=4h HOLDFAST=$(CURDIR)/$(BIN)/holdfast $(CURDIR)/$(BIN)/netns.test -test.run 'TestKills$$' -test.v -test.parallel 5 -test.timeout 5h

vm: setup
	@echo "== virtual machine: the whole job on a kernel with IPVS"
	@$(GO) test -c -tags vm -o $(BIN)/vm.test ./integration/suite
	@$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/holdfast ./cmd/holdfast
	@$(GO) test -c -tags vm -o $(BIN)/kernel.test ./ipvssync/kernel
	@$(GO) test -c -tags vm -o $(BIN)/reconcile.test ./internal/reconcile
	@./integration/again.sh $(VM) -timeout 13m -- /bin/sh -ec '$(CURDIR)/$(BIN)/kernel.test -test.v -test.timeout 4m; $(CURDIR)/$(BIN)/reconcile.test -test.v -test.run "RealKernel|Traffic" -test.timeout 8m'
	@./integration/again.sh $(VM) -timeout 35m -env HOLDFAST=$(CURDIR)/$(BIN)/holdfast -- $(CURDIR)/$(BIN)/vm.test -test.v -test.parallel 3 -test.timeout 34m

systemd: setup
	@echo "== virtual machine with a real systemd and the shipped unit"
	@$(GO) test -c -tags systemd -o $(BIN)/systemd.test ./integration/suite
	@$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/holdfast ./cmd/holdfast
	@./integration/again.sh $(VM) -systemd -timeout 20m -env HOLDFAST=$(CURDIR)/$(BIN)/holdfast -env UNITS=$(CURDIR)/examples/systemd -- $(CURDIR)/$(BIN)/systemd.test -test.v -test.timeout 19m

lint:
	$(GO) vet -tags 'netns vm bench systemd' ./...
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 -tags 'netns vm bench systemd' ./...

# bench prints; it asserts nothing.
bench: setup
	@$(GO) test -c -tags bench -o $(BIN)/bench.test ./integration/suite
	@$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/holdfast ./cmd/holdfast
	HOLDFAST=$(CURDIR)/$(BIN)/holdfast $(BIN)/bench.test -test.v -test.timeout 30m
	@$(GO) test -c -tags vm -o $(BIN)/reconcile.test ./internal/reconcile
	$(VM) -timeout 10m -- $(CURDIR)/$(BIN)/reconcile.test -test.v -test.run Scale -test.timeout 19m
	$(GO) test -run '^$$' -bench . ./internal/reconcile
	$(GO) test -run '^$$' -bench . -benchtime 300x -timeout 30m ./internal/balancer
	$(GO) test -run '^$$' -bench . ./checkers/...
	@$(MAKE) --no-print-directory bench-checks

# bench-checks tells what checks cost: here next to a bare loop of connects, in the virtual machine (which has IPVS) next to keepalived too.
bench-checks: setup
	@$(GO) build -o $(BIN)/checkbench ./integration/cmd/checkbench
	@$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/holdfast ./cmd/holdfast
	$(BIN)/checkbench -holdfast $(BIN)/holdfast
	$(BIN)/checkbench -holdfast $(BIN)/holdfast -http
	$(BIN)/checkbench -holdfast $(BIN)/holdfast -services 4000
	$(VM) -timeout 12m -- /bin/sh -ec 'modprobe -a ip_vs ip_vs_wlc; $(CURDIR)/$(BIN)/checkbench -holdfast $(CURDIR)/$(BIN)/holdfast -loop 30 -rounds 1; $(CURDIR)/$(BIN)/checkbench -holdfast $(CURDIR)/$(BIN)/holdfast -loop 30 -rounds 1 -http'

# fuzz runs every fuzz test of the project for FUZZTIME each.
fuzz:
	@for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

# simulate runs the seeded simulation of routers on a bad LAN, without the race detector. More: make simulate SEEDS=1000000
SEEDS ?= 100000
simulate:
	@echo "== simulation: $(SEEDS) schedules of faults, and a fifth as many planned hand-overs"
	@HOLDFAST_SEEDS=$(SEEDS) $(GO) test -count=1 -timeout 120m -run 'Simulation' -v ./vrrp/vrrptest

demo: setup
	@echo "== building the demo (the first time, this also fetches a kernel)"
	@$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/holdfast ./cmd/holdfast
	@$(GO) build -o $(BIN)/demo ./integration/cmd/demo
	@$(BIN)/demo -holdfast $(CURDIR)/$(BIN)/holdfast

clean:
	rm -rf $(BIN)
