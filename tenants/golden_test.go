package tenants

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the results that the golden files should have")

// border stands between the input of a golden file and the expected result.
const border = "----------\n"

// golden runs one test for each file in testdata/folder. A file holds the
// application's files, each after a line "-- name --", a line of dashes, and
// what result must give for their folder. The folder's own path reads DIR.
func golden(t *testing.T, folder string, result func(t *testing.T, dir string) string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files in %s: %v", folder, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, ok := strings.Cut(string(data), border)
			if !ok && !*update {
				t.Fatalf("%s has no line of dashes", file)
			}
			dir := t.TempDir()
			unpack(t, dir, input)
			got := strings.ReplaceAll(result(t, dir), dir, "DIR")
			if *update {
				write(t, file, input+border+got)
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

// unpack writes the files of an archive: "-- name --" and its lines.
func unpack(t *testing.T, dir, archive string) {
	t.Helper()
	name, text := "", ""
	flush := func() {
		if name != "" {
			write(t, filepath.Join(dir, name), text)
		}
	}
	for line := range strings.Lines(archive) {
		if n, ok := strings.CutSuffix(strings.TrimPrefix(line, "-- "), " --\n"); ok && strings.HasPrefix(line, "-- ") {
			flush()
			name, text = n, ""
			continue
		}
		text += line
	}
	flush()
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
