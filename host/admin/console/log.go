package console

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/wasgi/wasgi/host/admin/api"
)

// logLine is a record of a log as pages and streams have it; nothing in it can
// hide.
type logLine struct {
	ISO     string `json:"iso"`
	Time    string `json:"time"`
	Level   string `json:"level"`
	Class   string `json:"class"`
	Message string `json:"message"`
	Fields  string `json:"fields"`
}

// logPage shows the end of a log.
type logPage struct {
	Name string
	Word stateWord
	Log  []logLine
}

// manyLines are on the page of a log.
const manyLines = 1000

func (c *Console) log(v *visit) error {
	if _, err := c.Host.Tenant(v.tenant); err != nil {
		return err
	}
	lines, err := c.last(v, manyLines)
	if err != nil {
		return err
	}
	v.render(http.StatusOK, "log", "Log of "+v.tenant, logPage{Name: v.tenant, Word: wordOf(c.status(v.tenant)), Log: lines})
	return nil
}

// last is the end of the tenant's log.
func (c *Console) last(v *visit, lines int) ([]logLine, error) {
	var out []logLine
	err := c.Host.Logs(v.Context(), v.tenant, api.LogQuery{Lines: lines}, func(l api.LogLine) error {
		out = append(out, lineOf(l))
		return nil
	})
	return out, err
}

func lineOf(l api.LogLine) logLine {
	at := l.Time.UTC()
	out := logLine{ISO: at.Format("2006-01-02T15:04:05.000Z"), Time: at.Format("15:04:05.000"), Level: visible(l.Level), Message: visible(l.Message)}
	switch {
	case strings.HasPrefix(l.Level, "ERROR"):
		out.Class = "bad"
	case strings.HasPrefix(l.Level, "WARN"):
		out.Class = "fair"
	case strings.HasPrefix(l.Level, "DEBUG"):
		out.Class = "soft"
	default:
		out.Class = "plain"
	}
	var fields []string
	for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
		fields = append(fields, visible(name)+"="+visible(l.Fields[name]))
	}
	out.Fields = strings.Join(fields, "  ")
	return out
}
