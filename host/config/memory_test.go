package config

import (
	"slices"
	"strings"
	"testing"
)

// TestMemoryBudgetDecidesDefaults: who sets only the budget gets the rest to
// fit, and who sets more gets what was set.
func TestMemoryBudgetDecidesDefaults(t *testing.T) {
	c, err := load("", nil, []string{"WASGI_MEMORY_BUDGET=1GiB", "WASGI_SLOTS=2", "WASGI_MAX_CONNECTIONS=100"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := []Bytes{c.MemoryPerTenant, c.SpoolMemoryTotal, c.ResponseMemoryTotal, Bytes(c.MaxConnections), c.GuestMemory()}
	want := []Bytes{256 * MiB, 64 * MiB, 32 * MiB, 100, (1024-192-64-32-128)*MiB - 100*48*KiB}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMemoryBudgetLeavesRoomForGuests(t *testing.T) {
	_, err := load("", nil, []string{"WASGI_MEMORY_BUDGET=512MiB", "WASGI_SLOTS=2", "WASGI_SPOOL_MEMORY_TOTAL=256MiB"}, 0)
	if err == nil || !strings.Contains(err.Error(), "WASGI_MEMORY_BUDGET: of 512MiB the host needs ") {
		t.Errorf("got %v", err)
	}
}
