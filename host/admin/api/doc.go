// Package api is the admin API: JSON over HTTP, by which operators and wasgi's
// own commands see and change what the host does. It knows HTTP, rights and
// shapes; what is done is behind Backend, which package host implements.
//
// # The way of a request
//
//  1. guard refuses a Host that is not the API's own, and whatever a browser
//     sends for another site.
//  2. authenticate finds out who asks: the owner of the Unix socket, or a token.
//  3. huma finds the operation, reads what its Go types say, and refuses the rest
//     with 422.
//  4. permit compares the operation's right with the caller's.
//  5. The operation calls Backend. Errors become application/problem+json.
//  6. audit writes a line for each change that was asked for, and each refusal.
//
// # Files
//
//	types.go                  what is sent and received; the descriptions are the
//	                          document's
//	backend.go problem.go     what the host does, and how it fails
//	api.go rights.go          how operations are made and who may
//	tenants.go releases.go settings.go streams.go tokens.go run.go
//	backup.go jobs.go                 the operations
//	pages.go                  lists that grow with the host, part by part
//	guard.go auth.go audit.go before and after them
//
// The OpenAPI document is generated from the operations and their types, served
// at /v1/openapi.json, and lies beside the code as openapi.json. Tests compare
// every exchange with it.
package api

//go:generate go run ./genopenapi openapi.json
