package static

import (
	"strconv"
	"strings"
)

// Accepts says whether an Accept-Encoding header takes a content coding (RFC 9110
// section 12.5.3): the coding's own weight counts, or else that of *. Without a
// header nothing but the plain file is taken, which every client can read.
func Accepts(header, coding string) bool {
	any := false
	for part := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(part, ";")
		name = strings.Trim(name, " \t")
		switch {
		case strings.EqualFold(name, coding), coding == "gzip" && strings.EqualFold(name, "x-gzip"):
			return weight(parameters) > 0
		case name == "*":
			any = weight(parameters) > 0
		}
	}
	return any
}

// weight reads q=0.5. What is no weight is as good as none given.
func weight(parameters string) float64 {
	name, value, _ := strings.Cut(strings.Trim(parameters, " \t"), "=")
	if !strings.EqualFold(strings.Trim(name, " \t"), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.Trim(value, " \t"), 64)
	if err != nil || q < 0 || q > 1 {
		return 1
	}
	return q
}
