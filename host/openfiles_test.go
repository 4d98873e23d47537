package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTheLimitOfFilesIsToldAtTheStart(t *testing.T) {
	r := start(t, setup{app: sayVersion, tenants: []string{"app", "kept"}})
	r.ready("app", "kept")
	f := r.host.fleet
	before := f.filesWanted()
	if err := os.Mkdir(filepath.Join(r.root, "kept", "s"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.manifest("kept", "[static]\n\"/s\" = \"s\"\n")
	r.event(EventReady, "kept")
	wanted := f.filesWanted()
	if wanted != before+1 {
		t.Errorf("%d files are wanted with a folder that is shown, %d without", wanted, before)
	}
	for limit, want := range map[uint64]bool{0: false, wanted: false, wanted - 1: true} {
		before := len(r.log.String())
		f.warnOfFiles(limit)
		if said := strings.Contains(r.log.String()[before:], "the limit of open files is low"); said != want {
			t.Errorf("with a limit of %d where %d are wanted: said %v, want %v", limit, wanted, said, want)
		}
	}
}

func TestAdviceWhereDescriptorsHaveRunOut(t *testing.T) {
	out := fmt.Errorf("reading the application: %w", &fs.PathError{Op: "openat", Path: ".", Err: syscall.EMFILE})
	if got := withFileAdvice(out); !errors.Is(got, syscall.EMFILE) || !strings.Contains(got.Error(), "LimitNOFILE") {
		t.Errorf("%v", got)
	}
	for _, other := range []error{nil, fs.ErrNotExist} {
		if got := withFileAdvice(other); got != other {
			t.Errorf("%v became %v", other, got)
		}
	}
}
