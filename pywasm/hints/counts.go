package main

import "github.com/wasgi/wasgi/pywasm/branchhint"

// hints compares what was counted before and after so many requests. One way of
// a branch is rare if it was taken in fewer than one of fifty, or once for fifty
// times of the other. The branch has a hint then, unless it was hardly reached at all.
func hints(before, after map[branchhint.Branch][2]uint64, requests int) []branchhint.Function {
	few := uint64(max(requests/50, 1))
	rare := func(n, other uint64) bool { return other >= few && (n < few || n < other/50) }
	likely := map[branchhint.Branch]bool{}
	for at, n := range after {
		notTaken, taken := n[0]-before[at][0], n[1]-before[at][1]
		if rare(notTaken, taken) || rare(taken, notTaken) {
			likely[at] = taken > notTaken
		}
	}
	return branchhint.Functions(likely)
}
