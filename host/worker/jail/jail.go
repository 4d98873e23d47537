package jail

import (
	"fmt"
	"strings"
)

// Spec is what the process keeps.
type Spec struct {
	// ReadOnly and ReadWrite are folders that it may use, with all below them.
	ReadOnly, ReadWrite []string
	// OpenFiles is the most descriptors (RLIMIT_NOFILE).
	OpenFiles uint64
	// FileSize is the largest file that it may make, in bytes (RLIMIT_FSIZE).
	FileSize uint64
	// Data is the most writable private memory, in bytes (RLIMIT_DATA, Linux
	// 4.7): RLIMIT_AS would count address space that is only reserved.
	Data uint64
}

// Report is what Enter got.
type Report struct {
	NoNewPrivs   bool   `json:"no_new_privs"`
	Capabilities string `json:"capabilities"`
	Landlock     string `json:"landlock"`
	Seccomp      string `json:"seccomp"`
	Rlimits      string `json:"rlimits"`
	// Missing are the walls that this kernel does not have, with the reason.
	Missing []string `json:"missing,omitempty"`
}

// String is the report in one line.
func (r Report) String() string {
	parts := []string{
		fmt.Sprintf("no_new_privs %v", r.NoNewPrivs), "capabilities " + r.Capabilities,
		"landlock " + r.Landlock, "seccomp " + r.Seccomp, "rlimits " + r.Rlimits,
	}
	if len(r.Missing) > 0 {
		parts = append(parts, "missing: "+strings.Join(r.Missing, ", "))
	}
	return strings.Join(parts, "; ")
}

func (r *Report) lacks(what string, why error) string {
	r.Missing = append(r.Missing, fmt.Sprintf("%s (%v)", what, why))
	return "none"
}
