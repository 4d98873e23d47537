package config

import "github.com/wasgi/wasgi/tenants/nearest"

// closest is the candidate with the fewest edits from word, or "" when none is
// close enough to be a slip (a third of its length).
func closest(word string, candidates []string) string {
	best, found := len(word)/3+1, ""
	for _, c := range candidates {
		if d := nearest.Distance(word, c); d < best {
			best, found = d, c
		}
	}
	return found
}
