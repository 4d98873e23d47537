//go:build linux

package worker

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/worker/wire"
)

// streams are those of a program. Both writers may be called at once.
type streams struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// Run runs the program of a job (Job.Program) in a worker of its own, with the
// jail that the tenant's other workers have but for the folder of their snapshot,
// which it does not see. It returns the exit status as sandbox.Engine.Python does.
// When ctx ends the program sees a KeyboardInterrupt, and is killed after its
// grace. stdin may still be read from after Run has returned.
func Run(ctx context.Context, cfg Config, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	cfg.program = &streams{stdin, stdout, stderr}
	job, err := cfg.Job.encode()
	if err != nil {
		return 0, err
	}
	p, err := launch(&cfg, func(*process) {})
	if err != nil {
		return 0, err
	}
	err = p.order(func() error { return p.wire.Send(wire.Build, func(b []byte) []byte { return append(b, job...) }) })
	if err == nil {
		err = p.outcome(ctx)
	}
	err = errors.Join(err, p.close())
	var e *sandbox.Error
	if errors.As(err, &e) && e.Kind == sandbox.KindExit && ctx.Err() == nil {
		return e.Code, nil
	}
	return 0, err
}

// outcome waits for what a program ends with, and looks at its memory meanwhile.
func (p *process) outcome(ctx context.Context) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case err := <-p.built:
			<-p.done // so that all it has written is written
			return err
		case <-p.done:
			select {
			case err := <-p.built:
				return err
			default:
				return p.ended(nil)
			}
		case now := <-look.C:
			if !p.ledger.look(now) {
				p.kill("the tenant's memory is used up")
			}
		case <-ctx.Done():
			p.interrupt()
			return context.Cause(ctx)
		}
	}
}

// interrupt asks a program to end and kills it when its grace is over.
func (p *process) interrupt() {
	_ = p.control.CloseWrite() // it may have ended
	timer := time.NewTimer(p.cfg.Job.grace() + closeTimeout)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.kill("it did not end in its grace")
		<-p.done
	}
}

// attach gives the process the streams of its program. Its standard error is also
// where Go's runtime would write.
func (p *process) attach(s *streams) error {
	p.cmd.Stdout, p.cmd.Stderr = s.stdout, s.stderr
	in, err := p.cmd.StdinPipe()
	if err != nil || s.stdin == nil {
		return err
	}
	go func() { // ends with stdin, or with the process once there is more of it
		_, _ = io.Copy(in, s.stdin)
		_ = in.Close()
	}()
	return nil
}
