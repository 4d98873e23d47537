// Package dist holds what runs wasgi on a machine: units for systemd and a
// Dockerfile. Its tests read them as their programs would, as far as those are
// there.
package dist
