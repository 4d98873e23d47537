// Package nearest tells how far apart two words are, so that a mistyped key can
// be answered with the one that was meant. Settings of the host and manifests
// share it; how near is near enough is theirs to say.
package nearest

// Distance counts the edits of single bytes that turn a into b (Levenshtein),
// one row at a time: memory grows with b, time with both.
func Distance(a, b string) int {
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
