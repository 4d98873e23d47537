// Package console is the web console: pages on which operators see what tenants
// do, deploy, roll back, follow logs and set the environment. It is what the admin
// API can do, for people: everything goes through the same backend, the same
// tokens and the same audit log.
//
// Pages are made on the server and work without scripts; charts are SVG with a
// table behind. One script follows logs and keeps figures fresh. All that a browser
// loads is embedded.
//
// # The way of a request
//
//  1. guard sets the headers of every answer, refuses a Host that is not the
//     console's own, and a POST that does not come from its own pages.
//  2. http.ServeMux finds the page.
//  3. member finds the session of the cookie and asks the backend whether its token
//     still counts; without one the answer is the way to the login.
//  4. allowed compares the page's right with the caller's: what the caller may not
//     see is 404, what it may not do 403.
//  5. A POST has the session's own secret in its form (see form), or is refused.
//  6. The page is made whole, then sent. A change ends with a redirection, or with
//     the same page and what went wrong.
//
// # Files
//
//	console.go guard.go         what there is, and what holds for all of it
//	sessions.go login.go        who somebody is
//	member.go form.go           who may, and who has really asked
//	overview.go tenant.go log.go  the pages
//	deploy.go changes.go remove.go  what changes tenants
//	tokens.go newtoken.go       who else may
//	stream.go                   a log as it is written
//	chart.go figures.go         samples as pictures and as tables
//	render.go words.go visible.go  text
//	assets templates            what is embedded
//	history                     where charts come from
//	browsertest                 Chromium, for tests
//
// # What it must never do
//
// Show a secret, or a token but in the answer that made it; put text of a tenant anywhere but through html/template
// or a text node; keep a session that its token does not carry any more; run script
// or style that is not one of its files.
package console
