package main

import (
	"os"
	"testing"
)

// TestReferenceIsFresh fails when a comment or a default has changed since go
// generate ran.
func TestReferenceIsFresh(t *testing.T) {
	want, err := render("../config.go")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../REFERENCE.md")
	if err != nil || string(got) != want {
		t.Errorf("host/config/REFERENCE.md is stale: run go generate ./host/config (%v)", err)
	}
}
