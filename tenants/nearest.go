package tenants

import (
	"strings"

	"github.com/wasgi/wasgi/tenants/nearest"
)

// closest returns the candidate that is most likely meant by word, "" when none
// is near. A dotted candidate also counts by its last part, so that a key in
// the wrong table is found.
func closest(word string, candidates []string) string {
	best, bestDistance := "", len(word)/3+2
	for _, c := range candidates {
		d := min(distance(word, c), distance(lastPart(word), lastPart(c))+1)
		if d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

func lastPart(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// distance counts edits. Long words are cut: keys are short, and the word comes
// from a file.
func distance(a, b string) int {
	const longest = 64
	return nearest.Distance(a[:min(len(a), longest)], b[:min(len(b), longest)])
}
