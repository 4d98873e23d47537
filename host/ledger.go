package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wasgi/wasgi/tenants"
)

// ledger keeps over restarts which tenant has which host and path: of two that
// claim the same the one that had it keeps it, whatever the other calls itself.
type ledger struct {
	file string // "" keeps nothing
	text []byte // of the file
}

// openLedger reads what an earlier server has written. With an error, nothing
// is known of it, and the ledger is to be used all the same.
func openLedger(file string) (*ledger, *tenants.Router, error) {
	l := &ledger{file: file}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil, nil
	}
	var claims []tenants.Route
	if err == nil {
		err = json.Unmarshal(text, &claims)
	}
	if err != nil {
		return l, nil, fmt.Errorf("reading who has which route: %w", err)
	}
	l.text = text
	return l, tenants.RouterOf(claims), nil
}

// keep writes the claims down, if they have changed.
func (l *ledger) keep(r *tenants.Router) error {
	if l == nil || l.file == "" {
		return nil
	}
	text, err := json.MarshalIndent(r.Claims(), "", "\t")
	if err != nil || bytes.Equal(text, l.text) {
		return err
	}
	unfinished := filepath.Join(filepath.Dir(l.file), "."+filepath.Base(l.file)+".tmp")
	if err := errors.Join(os.WriteFile(unfinished, text, 0o600), os.Rename(unfinished, l.file)); err != nil {
		return fmt.Errorf("keeping who has which route: %w", err)
	}
	l.text = text
	return nil
}
