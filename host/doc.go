// Package host is the HTTP face of wasgi and the place where its parts meet.
package host
