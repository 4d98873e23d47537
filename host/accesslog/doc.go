// Package accesslog writes a line for each request: the combined format that
// log tools know, or JSON with everything that wasgi knows.
//
// Lines are buffered and written by one goroutine; Close writes what is left.
// What a client sent is escaped, so that no request can forge a line or reach a
// terminal with control characters.
package accesslog
