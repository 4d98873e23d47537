package script

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// TestOvertime knows a program that ran too long, whether the sandbox or the
// context's timer noticed first.
func TestOvertime(t *testing.T) {
	early, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	late, cancelLate := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancelLate()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		name string
		ctx  context.Context
		err  error
		want bool
	}{
		{"the sandbox first", early, fmt.Errorf("boot: %w", context.DeadlineExceeded), true},
		{"the timer first", late, errors.New("the guest was ended"), true},
		{"another fault", early, errors.New("no memory"), false},
		{"a signal", stopped, context.Canceled, false},
	} {
		if got := overtime(c.ctx, c.err); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
