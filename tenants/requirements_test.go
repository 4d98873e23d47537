package tenants

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestReadRequirements(t *testing.T) {
	golden(t, "requirements", func(t *testing.T, dir string) string {
		r, err := readRequirements(dir)
		var b strings.Builder
		for _, list := range []struct {
			name  string
			lines []string
		}{{"file", r.files}, {"line", r.lines}, {"constraint", r.constraints}, {"wheel", r.wheels}} {
			for _, l := range list.lines {
				fmt.Fprintf(&b, "%s: %s\n", list.name, l)
			}
		}
		for _, s := range r.skipped {
			fmt.Fprintf(&b, "skipped: %s: %s\n", s.Requirement, s.Why)
		}
		for _, n := range r.impossible() {
			fmt.Fprintf(&b, "impossible: %s\n", n)
		}
		if err != nil {
			fmt.Fprintf(&b, "error: %v\n", err)
		}
		return b.String()
	})
}

// FuzzRequirements checks that nothing but plain requirements reaches the
// installer, whatever the tenant writes.
func FuzzRequirements(f *testing.F) {
	for _, s := range []string{
		"flask>=3 # web", "-r x.txt", "--no-binary :all:\nflask", "a @ file:///etc/passwd", "a \\\n--no-binary=:all:", "-e .", "git+ssh://x",
		"a==1 --hash=sha256:00", "./x.whl", "a;python_version<'3'", "a[b,c]~=1.0", "flask --index-url=http://x", "-", "0;\r0", "0;\u2028-r x",
	} {
		f.Add(s)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		write(t, dir+"/requirements.txt", text)
		r, _ := readRequirements(dir)
		for _, line := range append(r.lines, r.constraints...) {
			bare := regexp.MustCompile(`\s--hash[= ][a-z0-9]+:[0-9a-f]+`).ReplaceAllString(line, "")
			if strings.ContainsAny(bare, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029\x00@:/$") || regexp.MustCompile(`(^|\s)-`).MatchString(bare) {
				t.Errorf("%q lets %q through", text, line)
			}
		}
	})
}

func TestNativeTableNamesEachPackageOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range nativePackages() {
		for _, name := range strings.Fields(row.names) {
			if seen[name] || name != normalizeName(name) {
				t.Errorf("%s is named twice, or is not normalised", name)
			}
			seen[name] = true
		}
		if (row.advice == "") != (row.verdict == fallback) {
			t.Errorf("%s: advice %q", row.names, row.advice)
		}
	}
}
