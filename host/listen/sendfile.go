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
	for part.N > 0 {
		c.writeWaits()
		n, err := to.ReadFrom(&io.LimitedReader{R: part.R, N: min(part.N, maxPiece)})
		c.writeEnds()
		sent += n
		if part.N -= n; err != nil || n == 0 {
			return sent, err
		}
	}
	return sent, nil
}
