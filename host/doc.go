// Package host is the HTTP face of wasgi and the place where its parts meet:
// it turns folders into tenants that serve, and requests into calls of guests.
// The decisions behind it are in DESIGN.md.
//
// # The way of a request
//
//  1. listen.Gate accepts a connection, within Config.MaxConnections and what one
//     address may have, and takes a trusted proxy's PROXY header off. listen.TLS
//     makes the handshake where the address is https://. framing judges each head
//     and each chunk of HTTP/1 before net/http reads it. Each write has a deadline
//     of its own, on an HTTP/2 stream by edge.Paced.
//  2. front.handler: Echo routes everything to one handler. begin makes the
//     exchange with its request id, observe will write the access log, Echo's
//     Recover stands by.
//  3. exchange.answer: edge.Proxies.Admit says who the client is, edge.Check
//     refuses what no application should see, edge.SplitTarget takes the target
//     apart, fleet.find asks the routing table who answers. Nobody: 404. Somebody
//     else than the TLS handshake was for: 421.
//  4. site.current gives the deployment that serves. A dormant one is opened from
//     its snapshot for that. While the first one is
//     being made the request waits with many others for one boot. A redirect or a
//     static file of its manifest is the answer (direct), without a guest.
//  5. exchange.receive spools the body whole. No guest is held meanwhile.
//  6. exchange.borrow acquires an instance and a CPU slot from the deployment's
//     pool. Overload: 503 and Retry-After.
//  7. edge.Encoder.Encode writes the environ message; exchange.run calls
//     instance.Serve with the request's deadline.
//  8. The guest's calls come back through responder to edge.Response: a small
//     complete body or a file is held, everything else is sent piece by piece.
//     slot gives the CPU slot to others while the client is slow.
//  9. exchange.giveBack ends the lease, and only then edge.Response.Finish sends
//     what was held.
//  10. Whatever failed goes through faultOf to exchange.fail: a page that names
//     the request, or the end of the connection when an answer had begun.
//  11. exchange.record counts, and writes the access log.
//
// # The way of a release
//
//  1. watch.Watcher names a folder that changed and is quiet; fleet.look reads
//     it with package tenants and proposes it to its site.
//  2. site.toil, the only goroutine that changes a site, runs while there is
//     something to do. It makes an attempt: prepare (dependencies), build (boot,
//     import, warm-up, snapshot), and a second look at the fingerprint, so that no
//     half-copied folder serves. When the snapshot is there already and nothing
//     differs, lie has the tenant serve without opening it (dormant.go).
//  3. site.release swaps the deployment in and retires the old one: its requests
//     end, then its pool and image go.
//  4. A failure leaves the older release serving. Without one, requests get 502.
//     The attempt is made again when files change, and after growing pauses.
//  5. A deployment that nobody calls any more is dormant again (fleet.doze).
//
// # The way of a deploy
//
//  1. The admin API (admin/api) calls backend, and that the deployer. upload has
//     release.Repository receive, unpack (bundle), check and compile a bundle: a
//     folder named after its content, or nothing.
//  2. apply takes the tenant's lease, makes the record as it is to be, reads the
//     application with it (wishOf), and asks whether its routes are free (clash).
//  3. swap gives the site an order. site.toil carries it out like an attempt of its
//     own: fingerprint against the digest, prepare, build, and examine, the health
//     check in an instance of the new pool.
//  4. commit writes the record to the store: from here on the new release counts,
//     also after kill -9. Then routes and deployment are swapped, the older one
//     drains, and collect removes what no record names.
//  5. An error at any step before leaves record, routes and deployment as they
//     were. The same way goes for environment, secrets, rollback and start.
//
// # Who owns what
//
//	file                            question
//	host.go events.go state.go      what can the command line see?
//	serve.go                        in which order do things open and close?
//	fleet.go folders.go ledger.go   which tenants are there, who answers to what?
//	ceilings.go                     what may a manifest ask for?
//	site.go site_state.go site_work.go site_release.go  where is a tenant in its life, and what is to be done?
//	dormant.go wake.go doze.go readahead.go  what is there of a tenant that nobody calls?
//	permits.go                      which one is made now?
//	deployment.go                   what serves now, and how does it go?
//	deployer.go change.go collect.go operate.go  what operators do, and what lasts
//	order.go health.go own_request.go cron.go  a change that somebody waits for
//	backend.go logs.go runner.go backup.go api_server.go  the host as the API sees it
//	guest.go engine.go            how is a guest made? (the only use of host/sandbox's Engine)
//	listeners.go                    which sockets are opened, or taken from systemd?
//	entrance.go tls.go              who may connect, and who speaks for a client?
//	front.go exchange.go body.go    the way of a request
//	answer.go faults.go             what becomes of an error?
//	config edge spool accesslog     sub packages, one concern each
//	tenantlog watch listen admin
//	framing certs store registry
//	bundle release archive bytecode
//	direct.go static compress       what is answered without a guest, and made smaller?
//	orders.go acme                  where do certificates for tenants' names come from?
//	reload.go settings.go           what may change while requests are served?
//	successor.go quiesce.go         how does another process take over?
//	pausable.go upgrade
//	meters.go metrics               what is counted?
//	traces.go trace                 where does the time of a request go?
//	console.go admin/console        what do people see and change in a browser?
//	policy                          what does a guest see?
//
// # Locks
//
// fleet.mu is taken before site.mu, never the other way round; events.mu and
// deployer.mu are innermost. Nobody waits for a site with fleet.mu held: a site
// that carries out an order takes it (commit). Requests take none of them but
// site.mu while a tenant boots or wakes: they read atomic pointers.
//
// # What it must never do
//
// Hold an instance while a client is slow to send; let an error of one tenant
// reach another; show a client what is inside a tenant (outside development);
// end a broken response as if it were whole; trust a header about who the
// client is.
package host
