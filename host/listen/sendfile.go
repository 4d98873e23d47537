package listen

import "io"

// ReadFrom lets the kernel send a part of a file, which is an *io.LimitedReader,
// in pieces with a deadline each, as Write does. Anything else goes through Write.
func (c *conn) ReadFrom(src io.Reader) (sent int64, err error) {
	to, can := c.Conn.(io.ReaderFrom)
	part, is := src.(*io.LimitedReader)
	if !can || !is {
		return io.Copy(struct{ io.Writer }{c}, src)
	}
	c.Waits()
	for part.N > 0 {
		if err := c.renew(); err != nil {
			return sent, err
		}
		n, err := to.ReadFrom(&io.LimitedReader{R: part.R, N: min(part.N, maxPiece)})
		sent += n
		if part.N -= n; err != nil || n == 0 {
			return sent, err
		}
	}
	return sent, nil
}
