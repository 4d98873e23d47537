// Package registry says what the host's store holds, in plain types: tenants
// with their releases and settings, and tokens. It is the only package that
// knows keys and layout.
//
//	key             value
//	tenants/<name>  Tenant, JSON
//	tokens/<id>     Token, JSON
//
// One tenant is one entry. So a deploy, a rollback or a change of the
// environment is one write, and what serves after a crash is what was written
// last.
//
// Values of secrets are sealed (Vault) before they get here, and tokens are kept
// as hashes: who reads the store, or a backup of it, learns neither.
package registry
