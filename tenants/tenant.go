package tenants

import (
	"maps"
	"slices"
	"strings"
)

// Tenant is one application.
type Tenant struct {
	// Name is the folder's name: what logs, metrics and the default route say.
	Name string
	// Dir is the application's folder.
	Dir string
	// Manifest holds every setting, defaults filled in.
	Manifest Manifest
	// Entry is the callable.
	Entry Entry
	// Release holds the dependencies; zero before Prepare.
	Release Release
}

// Problem is what keeps a tenant, or one of its routes, from being served.
type Problem struct {
	Tenant string // name of the folder, which may be no valid tenant name
	Dir    string
	Err    error
}

// Error is "tenant: what is wrong".
func (p Problem) Error() string { return p.Tenant + ": " + p.Err.Error() }

// Unwrap gives what is wrong.
func (p Problem) Unwrap() error { return p.Err }

// Routes lists the tenant's claims: hosts times paths.
func (t Tenant) Routes() []Route {
	hosts, paths := t.Manifest.Hosts, t.Manifest.Paths
	if len(paths) == 0 && len(hosts) == 0 {
		paths = []string{"/" + t.Name}
	} else if len(paths) == 0 {
		paths = []string{"/"}
	}
	if len(hosts) == 0 {
		hosts = []string{""}
	}
	var out []Route
	for _, h := range hosts {
		for _, p := range paths {
			out = append(out, Route{t.Name, h, strings.TrimSuffix(p, "/")})
		}
	}
	return out
}

// Environ is the application's environment as NAME=value, sorted: what the
// discovery found, overridden by the manifest.
func (t Tenant) Environ() []string {
	all := map[string]string{}
	maps.Copy(all, t.Entry.Env)
	maps.Copy(all, t.Manifest.Env)
	out := make([]string, 0, len(all))
	for k, v := range all {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return out
}

// PythonPath lists what goes in front of sys.path: folders relative to the
// application's, which itself is the last one, as ".".
func (t Tenant) PythonPath() []string {
	var out []string
	for _, p := range slices.Concat(t.Manifest.PythonPath, t.Entry.Path, []string{"."}) {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}
