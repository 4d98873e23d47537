package wire

import (
	"encoding/hex"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// TestNetworkMessages keeps the bytes: host and worker are one binary, but each
// must be able to read what it writes.
func TestNetworkMessages(t *testing.T) {
	q := NetworkRequest{Number: 7, Kind: NetDial, Stream: true, To: netip.MustParseAddrPort("192.0.2.1:5432"), Name: "n", What: "w", Sent: 5, Received: 6}
	const want = "0700000000000000" + "02" + "01" + "04" + "3815" + "c0000201000000000000000000000000" + "01000000" + "6e" + "01000000" + "77" + "0500000000000000" + "0600000000000000"
	if got := hex.EncodeToString(q.Append(nil)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, err := DecodeNetworkRequest(q.Append(nil)); err != nil || got != q {
		t.Errorf("%+v, %v", got, err)
	}
	p := NetworkReply{
		Number: 9, Status: NetRefused, Port: 40000, Errno: 111, Rule: "loopback", What: "127.0.0.1:1", Hint: "h",
		Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")},
	}
	if got, err := DecodeNetworkReply(p.Append(nil)); err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNetworkMessagesAreBounded(t *testing.T) {
	q := NetworkRequest{Kind: NetResolve, Name: strings.Repeat("x", 2*maxNetworkText)}
	if got, err := DecodeNetworkRequest(q.Append(nil)); err != nil || len(got.Name) != maxNetworkText {
		t.Errorf("%d bytes, %v", len(got.Name), err)
	}
	p := NetworkReply{Rule: q.Name, What: q.Name, Hint: q.Name}
	for range 3 * MaxNetworkAddresses {
		p.Addresses = append(p.Addresses, netip.MustParseAddr("2001:db8::1"))
	}
	if b := p.Append(nil); len(b) > MaxNetwork {
		t.Errorf("a reply of %d bytes", len(b))
	}
	for name, b := range map[string][]byte{
		"kind 0": NetworkRequest{}.Append(nil), "kind 6": NetworkRequest{Kind: 6}.Append(nil),
		"too many bytes": NetworkRequest{Kind: NetMoved, Sent: MaxNetworkMoved + 1}.Append(nil), "too many received": NetworkRequest{Kind: NetMoved, Received: 1 << 63}.Append(nil),
		"more": append(NetworkRequest{Kind: NetClosed}.Append(nil), 0), "less": NetworkRequest{Kind: NetClosed}.Append(nil)[:20],
	} {
		if _, err := DecodeNetworkRequest(b); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
