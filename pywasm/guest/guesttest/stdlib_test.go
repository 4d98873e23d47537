package guesttest

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
)

// unsupported is one entry of pywasm/guest/unsupported.json.
type unsupported struct {
	Reason string // for users
	Import string // the exception of its import; empty when it can be imported
	Use    []struct {
		Call   string // a Python expression
		Raises string // its exception, as "Type: text"
	}
}

// TestStandardLibrary imports every public module and tries what the list says
// of their use: the list is what a programmer sees, no more and no less.
func TestStandardLibrary(t *testing.T) {
	t.Setenv("WASGI_GUEST_APPS", "testdata/entries")
	list := readUnsupported(t)
	wantImports, wantUses := map[string]string{}, map[string]string{}
	calls := []string{}
	for name, u := range list {
		if u.Reason == "" || (u.Import == "") == (len(u.Use) == 0) {
			t.Errorf("%s needs a reason, and either import or use", name)
		}
		if u.Import != "" {
			wantImports[name] = u.Import
		}
		for _, use := range u.Use {
			calls = append(calls, use.Call)
			wantUses[use.Call] = use.Raises
		}
	}
	imports, uses := tryStandardLibrary(t, calls)
	if diff := cmp.Diff(wantImports, imports); diff != "" {
		t.Errorf("imports (-list +guest):\n%s", diff)
	}
	if diff := cmp.Diff(wantUses, uses); diff != "" {
		t.Errorf("uses (-list +guest):\n%s", diff)
	}
}

func readUnsupported(t *testing.T) (list map[string]unsupported) {
	t.Helper()
	text, err := os.ReadFile("../unsupported.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func tryStandardLibrary(t *testing.T, calls []string) (imports, uses map[string]string) {
	t.Helper()
	argument, err := json.Marshal(calls)
	if err != nil {
		t.Fatal(err)
	}
	in := start(t, abi.BootModePython, "python", "-W", "ignore", "stdlib.py", string(argument))
	if status := in.exit(abi.ExportRun); status != 0 {
		t.Fatalf("status %d\n%s", status, in.stdout)
	}
	var got struct{ Imports, Uses map[string]string }
	if err := json.Unmarshal([]byte(lastLine(in.stdout.String())), &got); err != nil {
		t.Fatalf("%v\n%s", err, in.stdout)
	}
	return got.Imports, got.Uses
}
