package api

import (
	"cmp"
	"slices"
)

// Page says which part of a long list is asked for.
type Page struct {
	Limit int    `query:"limit" default:"500" minimum:"1" maximum:"1000" doc:"How many at most"`
	After string `query:"after" maxLength:"63" doc:"The next of the page before; without it the list begins"`
}

// paged is a part of a list. The cursor is the key of its last item, so that what is
// added or removed meanwhile neither repeats nor hides another item.
type paged[T any] struct {
	Body struct {
		Items []T    `json:"items" nullable:"false" doc:"Those of this page"`
		Next  string `json:"next,omitempty" doc:"What after asks for the next page; absent on the last one"`
	}
}

// page is the part of all that p asks for, in the order of the keys.
func page[T any](all []T, p Page, key func(T) string) *paged[T] {
	all = slices.DeleteFunc(all, func(v T) bool { return p.After != "" && key(v) <= p.After })
	slices.SortFunc(all, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	out := &paged[T]{}
	out.Body.Items = append([]T{}, all[:min(len(all), p.Limit)]...)
	if len(all) > p.Limit {
		out.Body.Next = key(all[p.Limit-1])
	}
	return out
}
