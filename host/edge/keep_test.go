package edge

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/abi"
)

// keeper is a Keep that counts.
type keeper struct {
	io.Reader
	kept, closed int
	full         bool
}

func (k *keeper) keep(p []byte) (io.ReadCloser, error) {
	if k.full {
		return nil, errors.New("full")
	}
	k.kept++
	k.Reader = strings.NewReader(string(p))
	return k, nil
}

func (k *keeper) Close() error {
	k.closed++
	return nil
}

// large is a body that net/http would not keep to itself.
func large() string { return strings.Repeat("whole", heldBack) }

// answered writes a whole large body and reports what is on the wire by then.
func answered(t *testing.T, k *keeper) (*Response, *httptest.ResponseRecorder, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := newResponse(w, httptest.NewRequest("GET", "/", nil), Options{Buffer: 1 << 20, Keep: k.keep})
	if err := errors.Join(r.Start(abi.ResponseHead{Status: 200}), r.Write([]byte(large()), true)); err != nil {
		t.Fatal(err)
	}
	return r, w, w.Body.String()
}

func TestWholeBodiesAreKept(t *testing.T) {
	k := &keeper{}
	r, w, before := answered(t, k)
	if err := r.Finish(); err != nil || before != "" || w.Body.String() != large() {
		t.Errorf("%d bytes were sent before Finish, %d by then, %v", len(before), w.Body.Len(), err)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil || k.kept != 1 || k.closed != 1 {
		t.Errorf("kept %d times, closed %d times, %v", k.kept, k.closed, err)
	}
}

func TestBodiesAreSentWhenNothingCanBeKept(t *testing.T) {
	r, w, before := answered(t, &keeper{full: true})
	if err := errors.Join(r.Finish(), r.Close()); err != nil || before != large() || w.Body.String() != large() {
		t.Errorf("%d bytes were sent before Finish, %d by then, %v", len(before), w.Body.Len(), err)
	}
}

func TestAPageTakesThePlaceOfWhatWasKept(t *testing.T) {
	k := &keeper{}
	r, w, _ := answered(t, k)
	r.Fail(Page{Status: 500, Text: "no", RequestID: "1"}, "")
	if k.closed != 1 || w.Code != 500 || strings.Contains(w.Body.String(), "whole") {
		t.Errorf("closed %d times, answered %d %q", k.closed, w.Code, w.Body)
	}
}
