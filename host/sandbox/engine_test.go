package sandbox

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
)

func TestNewEngineRefuses(t *testing.T) {
	tests := []struct {
		name   string
		module []byte
		want   string // part of the error
	}{
		{"nothing", nil, "not a WebAssembly module"},
		{"a text", []byte("#!/usr/bin/env python"), "not a WebAssembly module"},
		{"half a module", tck.Echo()[:200], "cut short"},
		{"another version", tck.WrongVersion(), "speaks version 5 of the ABI, this host version 4"},
		{"no handle", tck.MissingExport(abi.ExportHandle), "does not export the function " + abi.ExportHandle},
		{"no interrupt", tck.MissingExport(abi.ExportInterrupt), "does not export the function " + abi.ExportInterrupt},
		{"another signature", tck.WrongSignature(), "wasgi_handle has another signature"},
		{"a hidden global", tck.HiddenGlobal(), "mutable global 2 is not exported"},
		{"an unknown import", tck.UnknownImport(), "imports env.system"},
		{"a start function", tck.Started(), "has a start function"},
		{"a passive segment", tck.Passive(), "passive data segment"},
		{"a wild segment", tck.WildData(), "beyond its memory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := NewEngine(t.Context(), EngineConfig{Module: tt.module})
			if e != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestNewEngineWithVersionThatTraps(t *testing.T) {
	_, err := NewEngine(t.Context(), EngineConfig{Module: tck.TrapIn(abi.ExportVersion)})
	wantKind(t, err, KindTrap)
}

func TestNewEngineCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewEngine(ctx, EngineConfig{Module: tck.Echo()}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestEngineCloseTwice(t *testing.T) {
	e, err := NewEngine(t.Context(), EngineConfig{Module: tck.Echo()})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Close(t.Context()), e.Close(t.Context())); err != nil {
		t.Error(err)
	}
}

// TestEveryGuestIsRestored boots, restores and closes each guest of the kit.
func TestEveryGuestIsRestored(t *testing.T) {
	for _, g := range tck.All() {
		t.Run(g.Name, func(t *testing.T) {
			if in := instanceOf(t, g.Module); !in.Usable() {
				t.Errorf("state %s", in.State())
			}
		})
	}
}

func TestDataIsWrittenOnceAndInitializeRunsOnce(t *testing.T) {
	e := newEngine(t, tck.Initialize())
	im := build(t, e, Spec{})
	for range 2 {
		if r := serve(t, restore(t, im), emptyRequest()); len(r.body) != 1 || r.body[0] != 1 {
			t.Errorf("_initialize ran %v times", r.body)
		}
	}
}

// TestCompiledModuleHasNoData makes sure that an instance starts with nothing
// but zeros, which a snapshot is then mapped over.
func TestCompiledModuleHasNoData(t *testing.T) {
	e := newEngine(t, tck.Echo())
	in, err := e.instantiate(instanceConfig{spec: &Spec{}})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if !allZero(in.memory.base[:in.memory.size]) {
		t.Error("wazero has written data")
	}
	in.writeData()
	if !strings.Contains(string(in.memory.base[:in.memory.size]), tck.EchoText) {
		t.Error("the data was not written")
	}
}

func TestStateTable(t *testing.T) {
	for from := StateNew; from <= StateClosed; from++ {
		for to := StateNew; to <= StateClosed; to++ {
			var l life
			l.state.Store(int32(from))
			err := l.move(to)
			if allowed := err == nil; allowed != (l.now() == to && from != to) {
				t.Errorf("%s to %s: %v, and the state is %s", from, to, err, l.now())
			}
		}
	}
	var l life
	l.state.Store(int32(StateDead))
	err := l.move(StateServing)
	wantKind(t, err, KindHost)
	if !strings.Contains(err.Error(), "from dead to serving") {
		t.Errorf("got %v", err)
	}
}

func TestNames(t *testing.T) {
	for k, want := range map[Kind]string{
		KindException: "exception", KindExit: "exit", KindTrap: "trap", KindTimeout: "timeout", KindCanceled: "canceled",
		KindMemory: "out of memory", KindInvalid: "invalid", KindHost: "host failure", 0: "Kind(0)", 9: "Kind(9)",
	} {
		if k.String() != want {
			t.Errorf("Kind %d is %q, want %q", int(k), k, want)
		}
	}
	if s := StateResetting.String() + State(-1).String() + State(9).String(); s != "resettingState(-1)State(9)" {
		t.Errorf("got %q", s)
	}
}
