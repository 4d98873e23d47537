package wasi

import (
	"bytes"
	"container/list"
	"io"
	"sync"
	"weak"
)

// contentCache keeps inflated files. Those in use are shared through weak pointers for as long as somebody has them
// open; beside that, the most recently opened ones stay up to a number of bytes.
type contentCache struct {
	mu     sync.Mutex
	max    int
	size   int
	recent *list.List // of *cached, the latest in front
	inUse  map[*archiveNode]weak.Pointer[cached]
}

type cached struct {
	node    *archiveNode
	content []byte
	place   *list.Element // nil when it is not in recent
}

// ReadAt implements io.ReaderAt. It keeps c, and so the content, alive.
func (c *cached) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(c.content).ReadAt(p, off)
}

func newContentCache(limit int) *contentCache {
	return &contentCache{max: limit, recent: list.New(), inUse: make(map[*archiveNode]weak.Pointer[cached])}
}

// get returns the content of n. Two who miss at the same time both inflate; the second one's copy is dropped.
func (c *contentCache) get(n *archiveNode, load func(*archiveNode) ([]byte, error)) (io.ReaderAt, error) {
	if found := c.lookup(n); found != nil {
		return found, nil
	}
	content, err := load(n)
	if err != nil {
		return nil, err
	}
	return c.insert(&cached{node: n, content: content}), nil
}

func (c *contentCache) lookup(n *archiveNode) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.inUse[n].Value()
	if found != nil {
		c.touch(found)
	}
	return found
}

func (c *contentCache) insert(item *cached) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found := c.inUse[item.node].Value(); found != nil {
		return found
	}
	c.inUse[item.node] = weak.Make(item)
	c.touch(item)
	return item
}

// touch puts the item in front and drops the oldest ones until the rest fits. A file above an eighth of the cache
// would push out too many others and is not kept.
func (c *contentCache) touch(item *cached) {
	switch {
	case item.place != nil:
		c.recent.MoveToFront(item.place)
		return
	case len(item.content) > c.max/8:
		return
	}
	item.place = c.recent.PushFront(item)
	c.size += len(item.content)
	for c.size > c.max {
		oldest := c.recent.Remove(c.recent.Back()).(*cached)
		oldest.place = nil
		c.size -= len(oldest.content)
	}
}
