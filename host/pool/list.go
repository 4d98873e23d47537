package pool

// links is embedded by what goes on a list, so that queueing needs one
// allocation and removal from the middle takes constant time.
type links[T any] struct {
	prev, next *T
	queued     bool
}

func (l *links[T]) hooks() *links[T] { return l }

// node is a *T that embeds links[T].
type node[T any] interface {
	*T
	hooks() *links[T]
}

// list is a first in, first out queue of nodes.
type list[T any, P node[T]] struct {
	head, tail P
	length     int
}

func (l *list[T, P]) empty() bool { return l.length == 0 }

func (l *list[T, P]) push(n P) {
	h := n.hooks()
	h.prev, h.next, h.queued = l.tail, nil, true
	if l.tail == nil {
		l.head = n
	} else {
		l.tail.hooks().next = n
	}
	l.tail = n
	l.length++
}

// pushFront makes n the oldest node.
func (l *list[T, P]) pushFront(n P) {
	h := n.hooks()
	h.prev, h.next, h.queued = nil, l.head, true
	if l.head == nil {
		l.tail = n
	} else {
		l.head.hooks().prev = n
	}
	l.head = n
	l.length++
}

// insert puts n before the newest nodes for which later is true.
func (l *list[T, P]) insert(n P, later func(P) bool) {
	before := l.tail
	for before != nil && later(before) {
		before = before.hooks().prev
	}
	if before == l.tail {
		l.push(n)
		return
	}
	if before == nil {
		l.pushFront(n)
		return
	}
	next := P(before.hooks().next)
	h := n.hooks()
	h.prev, h.next, h.queued = before, next, true
	before.hooks().next, next.hooks().prev = n, n
	l.length++
}

// pop removes the oldest node, nil when there is none.
func (l *list[T, P]) pop() P {
	n := l.head
	if n != nil {
		l.remove(n)
	}
	return n
}

// remove takes n out; false when it is on no list.
func (l *list[T, P]) remove(n P) bool {
	h := n.hooks()
	if !h.queued {
		return false
	}
	if h.prev == nil {
		l.head = h.next
	} else {
		P(h.prev).hooks().next = h.next
	}
	if h.next == nil {
		l.tail = h.prev
	} else {
		P(h.next).hooks().prev = h.prev
	}
	*h = links[T]{}
	l.length--
	return true
}
