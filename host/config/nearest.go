package config

// nearest is the candidate with the fewest edits from word, or "" when none is
// close enough to be a slip (a third of its length).
func nearest(word string, candidates []string) string {
	best, found := len(word)/3+1, ""
	for _, c := range candidates {
		if d := edits(word, c); d < best {
			best, found = d, c
		}
	}
	return found
}

// edits is the Levenshtein distance, one row at a time.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
