package tenants

import "strings"

// nearest returns the candidate that is most likely meant by word, "" when none
// is near. A dotted candidate also counts by its last part, so that a key in
// the wrong table is found.
func nearest(word string, candidates []string) string {
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

// distance counts the edits from a to b (Levenshtein). Long words are cut: keys
// are short, and the word comes from a file.
func distance(a, b string) int {
	const longest = 64
	a, b = a[:min(len(a), longest)], b[:min(len(b), longest)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
