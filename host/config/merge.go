package config

import "reflect"

// Changes are the keys of settings that differ, in the order of Config.
type Changes struct {
	Applied []string // that a reload can make hold
	Tenants []string // the part of Applied that every application is deployed again for
	Kept    []string // that need a restart
}

// Merge is running with what of wanted may change while a host runs: the fields
// with the tag reload. Its value is "tenants" for what a deployment is made of,
// "yes" for what is looked at when it is needed.
func Merge(running, wanted Config) (Config, Changes) {
	var c Changes
	now, next := fields(&running), fields(&wanted)
	for i, f := range now {
		if reflect.DeepEqual(f.value.Interface(), next[i].value.Interface()) {
			continue
		}
		switch f.reload {
		case "":
			c.Kept = append(c.Kept, f.key)
			continue
		case "tenants":
			c.Tenants = append(c.Tenants, f.key)
		}
		c.Applied = append(c.Applied, f.key)
		f.value.Set(next[i].value)
	}
	return running, c
}
