package giveway

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// slackOf is what every thread of this process has, in nanoseconds, by its number.
func slackOf(t *testing.T) map[string]string {
	t.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, thread := range threads {
		text, err := os.ReadFile("/proc/" + thread.Name() + "/timerslack_ns")
		if errors.Is(err, os.ErrPermission) {
			continue // of another thread, without CAP_SYS_NICE
		}
		if err == nil {
			all[thread.Name()] = strings.TrimSpace(string(text))
		}
	}
	if len(all) == 0 {
		t.Fatal("no thread tells its slack")
	}
	return all
}

func TestLetTimersBeLate(t *testing.T) {
	if err := LetTimersBeLate(); errors.Is(err, syscall.ENOTSUP) {
		t.Skip("built with cgo: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	for thread, got := range slackOf(t) {
		if want := fmt.Sprint(slack); got != want {
			t.Errorf("thread %s: sleeps end %s ns late, want %s", thread, got, want)
		}
	}
	if err := LetTimersBeLate(); err != nil {
		t.Error("once more:", err)
	}
}
