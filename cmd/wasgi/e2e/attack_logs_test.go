package e2e

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// attacksOnLogs are the rows that try to fill the log, or to write into it what
// nobody has said.
func attacksOnLogs() []attackRow {
	return []attackRow{
		{id: 33, name: "flood of the log", safe: "bounded by tenant_log_rate; what was dropped is counted", run: floodedLog},
		{id: 34, name: "escapes and forged records", safe: "escaped, one record each", run: forgedRecords},
	}
}

// floods say too much, in every way that there is.
func floods() map[string]string {
	return map[string]string{
		"a line of a gigabyte, printed":       "import sys\ns = 'x' * (1 << 20)\nfor _ in range(1024): sys.stdout.write(s)",
		"a line of a gigabyte, to descriptor": "import os\nb = b'x' * (1 << 20)\nfor _ in range(1024): os.write(1, b)",
		"line ends, to descriptor":            "import os\nb = b'a\\n' * (1 << 20)\nfor _ in range(100): os.writev(2, [b] * 16) if hasattr(os, 'writev') else os.write(2, b)",
		"short lines, to wsgi.errors":         "e = environ['wsgi.errors']\nfor n in range(200000): e.write(f'{n}\\n')",
		"long lines, to wsgi.errors":          "e = environ['wsgi.errors']\ns = '\\x1b' * (1 << 20) + '\\n'\nfor n in range(200): e.write(s)",
		"warnings":                            "import warnings\nwarnings.simplefilter('always')\nfor n in range(20000): warnings.warn(str(n))",
		"logging":                             "import logging\nfor n in range(20000): logging.error('x' * 1000)",
	}
}

func floodedLog(g *siege) {
	const rate = 64 << 10
	g.hostile("hostile", "[limits]\nrequest_timeout = \"4s\"\ngrace = \"0s\"\n")
	s := g.serve("--tenant-log-rate", "64KiB")
	hostile := s.site(g.T, "hostile")
	begun, from, before := time.Now(), s.log.size(), s.memory(g.T, "VmRSS")
	for name, code := range floods() {
		at := s.log.size()
		if status := hostile.attack(g.T, code).resp.StatusCode; status != 200 && status != 504 {
			g.Errorf("%s: status %d", name, status)
		}
		if !strings.HasPrefix(name, "a line") { // one line is one record, cut short
			hostile.logged(g.T, "records dropped", at)
		}
	}
	hostile.well(g.T)
	// A second's worth may come at once, and the host's own words are few.
	most := int(time.Since(begun)/time.Second+2)*rate + len(floods())*10_000
	if got := s.log.size() - from; got > most {
		g.Errorf("the log grew by %d bytes in %v, want %d at most", got, time.Since(begun), most)
	}
	if grown := s.memory(g.T, "VmRSS") - before; grown > 400<<20 {
		g.Errorf("the host grew by %d bytes", grown)
	}
	dropped := 0
	for _, match := range regexp.MustCompile(`records dropped" tenant=hostile records=(\d+)`).FindAllStringSubmatch(s.log.String()[from:], -1) {
		n, err := strconv.Atoi(match[1])
		if err != nil {
			g.Fatal(err)
		}
		dropped += n
	}
	g.note("%d bytes logged, %d records dropped", s.log.size()-from, dropped)
}

// forgery is what a record of the host looks like, and what a terminal obeys.
const forgery = `\x1b[2J\x1b]0;title\x07\r\ntime=2026-01-01T00:00:00.000Z level=INFO msg=forged tenant=neighbour\n{\"level\":\"INFO\",\"msg\":\"forged\"}\x9b2J\x7f\u202e\x00end`

func forgedRecords(g *siege) {
	g.hostile("hostile", "")
	for i, format := range []string{"text", "json"} {
		file := filepath.Join(g.TempDir(), "access.log")
		if i > 0 {
			g.neighbour.leave()
		}
		s := g.serve("--log-format", format, "--access-log", []string{"combined", "json"}[i], "--access-log-file", file)
		hostile := s.site(g.T, "hostile")
		from := s.log.size()
		for _, code := range []string{
			"print(text)", "print(text, file=__import__('sys').stderr)", "print(text, file=environ['wsgi.errors'])",
			"import os; os.write(1, text.encode()); os.write(2, b'\\n' + text.encode() + b'\\n')",
			"raise ValueError(text)", "raise type(text.replace('\\0', ''), (Exception,), {})",
			"start_response('200 ' + text, []); response = []", "start_response('200 OK', [('X', text)]); response = []",
			"import warnings; warnings.warn(text)", "import logging; logging.error(text)",
		} {
			hostile.attack(g.T, "text = '"+forgery+"'\n"+code)
		}
		hostile.browser(g.T).get("/%1b%0d%0a%9b?%7f\"\\", header("User-Agent", "\u009b2J\"\\\u202e"), header("Referer", "\xff\xfe"))
		hostile.well(g.T)
		g.neighbour.leave()
		if err := s.terminate(g.T); err != nil {
			g.Error(err)
		}
		for name, text := range map[string]string{"log": s.log.String()[from:], "access log": read(g.T, file)} {
			if at := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }); at >= 0 {
				g.Errorf("%s %s has a control character: %q", format, name, text[max(at-100, 0):at+20])
			}
			for line := range strings.Lines(text) {
				if !regexp.MustCompile(`^(time=|\{"time":|\{"ts":|127\.0\.0\.1 - - \[)`).MatchString(line) || strings.HasPrefix(line, "time=2026-01-01") {
					g.Errorf("%s %s has the forged line %q", format, name, line)
				}
			}
			if name == "log" && strings.Count(text, "forged") < 8 {
				g.Errorf("%s: what was said is not in the log:\n%s", format, text)
			}
		}
	}
}
