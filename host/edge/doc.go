// Package edge translates between net/http and the messages of package abi:
// a request into the bytes of an environ, and what a guest writes into a
// response. It knows HTTP and PEP 3333 and nothing of tenants, pools or
// guests; its neighbours are functions and small interfaces.
//
// Going in: [Check] refuses what no application should see, [SplitTarget]
// takes the request target apart without touching a byte, [Environ] writes the
// variables. Coming out: a [Response] takes Start and Write from the guest,
// holds a small complete response until the instance is free, streams
// everything else, and ends with Finish or Fail; a [Page] is what the host
// itself says. Under a Response of HTTP/2 is a [Paced], which gives up a stream
// whose client takes nothing.
//
// It must never trust a length, a name or an order that a guest or a client
// gave, never put a byte on the wire before the application sent one (PEP
// 3333: the last start_response wins until then), and never end a broken
// response as if it were whole.
package edge
