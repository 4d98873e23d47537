package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
)

// keyFormat is part of every key. A new value makes all results stale.
const keyFormat = "wasgi build 1"

// A digest is a SHA-256 in lower-case hexadecimal.
type digest string

// short is enough of a digest to tell results apart.
func (d digest) short() string { return string(d[:min(len(d), 16)]) }

// A hasher takes strings so that no two sequences of them look the same.
type hasher struct{ parts []byte }

func (h *hasher) add(s string) { h.parts = fmt.Appendf(h.parts, "%d:%s,", len(s), s) }

func (h *hasher) sum() digest {
	s := sha256.Sum256(h.parts)
	return digest(hex.EncodeToString(s[:]))
}

// stepKey is the key of a step, given the digests of what it needs.
func stepKey(s step, needs map[string]digest) (digest, error) {
	h := &hasher{}
	h.add(keyFormat)
	h.add(s.name)
	for _, r := range s.recipe {
		h.add(r)
	}
	for _, n := range s.needs {
		h.add(n)
		h.add(string(needs[n]))
	}
	for _, pattern := range s.files {
		if err := addFiles(h, pattern); err != nil {
			return "", err
		}
	}
	return h.sum(), nil
}

// addFiles adds the names and digests of the files that match a pattern.
func addFiles(h *hasher, pattern string) error {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	sort.Strings(paths)
	for _, p := range paths {
		d, err := fileDigest(p)
		if err != nil {
			return err
		}
		h.add(filepath.Base(p))
		h.add(string(d))
	}
	return nil
}

// fileDigest is the digest of a file's bytes.
func fileDigest(path string) (digest, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return digest(hex.EncodeToString(h.Sum(nil))), nil
}

// treeDigest is a digest over the names and bytes of all files in a folder.
func treeDigest(root string) (digest, error) {
	h := &hasher{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		d, err := fileDigest(path)
		h.add(filepath.ToSlash(rel))
		h.add(string(d))
		return err
	})
	return h.sum(), err
}
