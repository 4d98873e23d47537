package e2e

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// mebibytes is the memory of the process that only it has: anonymous pages, and
// files that live in memory.
func (s *server) mebibytes(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, m := range regexp.MustCompile(`(?m)^Rss(?:Anon|Shmem):\s+(\d+) kB$`).FindAllSubmatch(status, -1) {
		kilobytes, _ := strconv.Atoi(string(m[1]))
		total += kilobytes
	}
	return total >> 10
}
