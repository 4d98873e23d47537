package config

import (
	"strings"
	"testing"
)

// TestEgressResolver is an address, so that finding it asks nobody.
func TestEgressResolver(t *testing.T) {
	for value, good := range map[string]bool{
		"": true, "10.0.0.53:53": true, "[fd00::53]:5353": true,
		"10.0.0.53": false, "dns.example:53": false, "10.0.0.53:0": false, "[fd00::53]": false,
	} {
		c := Default(nil, 0)
		c.EgressResolver = value
		err := c.Validate()
		if good && err != nil {
			t.Errorf("%q: %v", value, err)
		}
		if !good && (err == nil || !strings.Contains(err.Error(), "egress_resolver: ") || !strings.Contains(err.Error(), "is no address and port such as 10.0.0.53:53")) {
			t.Errorf("%q: %v", value, err)
		}
	}
}
