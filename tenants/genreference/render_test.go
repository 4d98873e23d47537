package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReferenceIsFresh(t *testing.T) {
	want, err := render("../manifest.go")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../REFERENCE.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("REFERENCE.md is stale, run go generate ./tenants:\n%s", diff)
	}
}

func TestEveryKeyIsDescribed(t *testing.T) {
	text, err := render("../manifest.go")
	if err != nil {
		t.Fatal(err)
	}
	for section := range strings.SplitSeq(text, "\n### ") {
		key, body, _ := strings.Cut(section, "\n")
		if strings.HasPrefix(key, "<!--") {
			continue
		}
		if !strings.HasPrefix(strings.TrimSpace(body), key+" ") || !strings.Contains(body, "; default: ") {
			t.Errorf("%s: the comment must start with the key:\n%s", key, body)
		}
	}
}
