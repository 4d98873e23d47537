package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc's times: USER_HZ is 100 wherever Linux runs.
const tick = 10 * time.Millisecond

// groupCPU is the processor time of all processes of a group, and of their
// children that have ended and were waited for.
func groupCPU(pgid int) (time.Duration, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended
		}
		group, cpu, err := parseStat(string(text))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", f, err)
		}
		if group == pgid {
			total += cpu
		}
	}
	return total, nil
}

// parseStat reads process group and processor time (proc(5), fields 5 and 14
// to 17). The command, field 2, may hold spaces and parentheses.
func parseStat(text string) (group int, cpu time.Duration, err error) {
	end := strings.LastIndexByte(text, ')')
	fields := strings.Fields(text[end+1:])
	if end < 0 || len(fields) < 15 {
		return 0, 0, fmt.Errorf("not a stat line: %.40q", text)
	}
	if group, err = strconv.Atoi(fields[2]); err != nil {
		return 0, 0, err
	}
	for _, f := range fields[11:15] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, 0, err
		}
		cpu += time.Duration(n) * tick
	}
	return group, cpu, nil
}

// memoryOf is a value of /proc/PID/smaps_rollup in bytes: "Rss", "Private_Dirty".
func memoryOf(pid, key string) (float64, error) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "smaps_rollup"))
	if err != nil {
		return 0, err
	}
	return parseRollup(string(text), key)
}

func parseRollup(text, key string) (float64, error) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok && len(strings.Fields(rest)) > 0 {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib * 1024, err
		}
	}
	return 0, fmt.Errorf("smaps_rollup has no %s", key)
}
