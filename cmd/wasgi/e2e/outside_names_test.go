package e2e

import (
	"io"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers questions for addresses over UDP. Of the answers to a name it
// gives one after the other, and the last one from then on; IPv4 and IPv6 have
// their own turns. What it does not know does not exist.
type nameServer struct {
	mu      sync.Mutex
	answers map[string][]string // by type and name: "A db.test."; an answer has addresses with spaces between
	asked   map[string]int
}

func newNameServer(t *testing.T, answers map[string][]string) (s *nameServer, address string) {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	s = &nameServer{answers: answers, asked: map[string]int{}}
	go func() { // ends with the socket
		b := make([]byte, 1<<16)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if reply, err := s.reply(b[:n]); err == nil {
				_, _ = c.WriteTo(reply, from)
			}
		}
	}()
	return s, c.LocalAddr().String()
}

func (s *nameServer) reply(question []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil || len(m.Questions) != 1 {
		return nil, io.ErrUnexpectedEOF
	}
	q := m.Questions[0]
	key := strings.TrimPrefix(q.Type.String(), "Type") + " " + q.Name.String()
	addresses, known := s.next(key)
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	if !known {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, text := range addresses {
		a := netip.MustParseAddr(text)
		head := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class} // nobody may keep it
		if q.Type == dnsmessage.TypeA {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: a.As4()}})
		} else {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return m.Pack()
}

// next is what is answered now; a name that is known for one type exists for all.
func (s *nameServer) next(key string) (addresses []string, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, name, _ := strings.Cut(key, " ")
	s.asked[name]++
	turns := s.answers[key]
	if len(turns) > 1 {
		s.answers[key] = turns[1:]
	}
	if len(turns) > 0 {
		return strings.Fields(turns[0]), true
	}
	return nil, s.answers["A "+name] != nil || s.answers["AAAA "+name] != nil
}

func (s *nameServer) questions(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[name]
}

// guarded is a server on a port of two loopback addresses: the one that tenants
// may reach says so, the other one counts who comes.
func guarded(t *testing.T) (port string, came *atomic.Int64) {
	t.Helper()
	allowed, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(allowed.Addr().String())
	inside, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	came = new(atomic.Int64)
	for l, serve := range map[net.Listener]func(net.Conn){
		allowed: func(c net.Conn) { _, _ = io.WriteString(c, "allowed") }, inside: func(net.Conn) { came.Add(1) },
	} {
		t.Cleanup(func() { l.Close() })
		go func() { // ends with the listener
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				serve(c)
				c.Close()
			}
		}()
	}
	return port, came
}

// TestNamesAreRebound: whoever owns a name that an application may use lets it
// point at an address that is allowed first, and at the inside then. Nothing of
// the inside is reached, neither at the second look nor among several answers.
func TestNamesAreRebound(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	port, came := guarded(t)
	answers := map[string][]string{
		"A both.rebind.test.":  {"127.0.0.1 169.254.169.254 127.0.0.2"},
		"A other.nobody.test.": {"127.0.0.2"},
	}
	for _, tenant := range []string{"outside", "fresh"} {
		answers["A loop."+tenant+".rebind.test."] = []string{"127.0.0.2", "127.0.0.1"}
		answers["A meta."+tenant+".rebind.test."] = []string{"127.0.0.2", "169.254.169.254"}
		answers["AAAA six."+tenant+".rebind.test."] = []string{"::ffff:127.0.0.2", "::1", "::ffff:127.0.0.1", "fd00:ec2::254"}
		dir := filepath.Join(root, tenant)
		copyTree(t, filepath.Join("testdata", "apps", "outside"), dir)
		write(t, dir, "requirements.txt", "flask==3.1.3\n")
		write(t, dir, "wasgi.toml", "[network]\nallow = [\"*.rebind.test:*\", \"127.0.0.2:"+port+"\"]\n[instances]\nmax = 1\n")
	}
	prepend(t, filepath.Join(root, "fresh"), "isolation = \"fresh\"\n")
	names, resolver := newNameServer(t, answers)
	s := w.serve(t, launch{root: root, flags: []string{"--egress", "*:*,127.0.0.2:*", "--egress-resolver", resolver}}, "outside", "fresh")
	for _, tenant := range []string{"outside", "fresh"} {
		t.Run(tenant, func(t *testing.T) {
			b := s.site(t, tenant).browser(t)
			connect := func(name string) answer {
				return b.get("/connect?" + url.Values{"host": {name}, "port": {port}}.Encode()).status(200)
			}
			refused := func(name, rule string) {
				connect(name).has(`"error":"PermissionError"`, "(rule "+rule+")")
			}
			for name, rules := range map[string][]string{"loop": {"loopback", "loopback"}, "meta": {"metadata"}, "six": {"loopback", "loopback", "metadata"}} {
				name += "." + tenant + ".rebind.test"
				connect(name).json(`{"answer": "allowed"}`)
				for _, rule := range rules {
					refused(name, rule)
				}
			}
			connect("both.rebind.test").json(`{"answer": "allowed"}`)
			refused("other.nobody.test", "network.allow")
			connect("none.rebind.test").has(`"error":"gaierror"`)
		})
		s.logs(t, regexp.QuoteMeta("rule=loopback what=127.0.0.1:"+port), 0)
		s.logs(t, regexp.QuoteMeta("rule=metadata what=169.254.169.254:"+port), 0)
	}
	if n := came.Load(); n != 0 {
		t.Errorf("%d connections have reached the server on 127.0.0.1", n)
	}
	if n := names.questions("other.nobody.test."); n != 0 {
		t.Errorf("a name that no entry allows was asked for %d times", n)
	}
}
