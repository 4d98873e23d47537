package jail

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"golang.org/x/sys/unix"
)

// enterSeccomp installs the filter on every thread at once.
func enterSeccomp(_ *Spec, r *Report) error {
	if architecture == 0 {
		r.Seccomp = r.lacks("seccomp", errors.New("no list of system calls for this machine"))
		return nil
	}
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		r.Seccomp = r.lacks("seccomp", errno)
		return nil
	}
	rules := allowed(uint32(unix.Getpid()))
	program, err := assemble(architecture, rules)
	if err != nil {
		return err
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	tid, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&filter)))
	if errno != 0 {
		return errno
	}
	if tid != 0 {
		return fmt.Errorf("thread %d could not be brought in line", tid)
	}
	r.Seccomp = fmt.Sprintf("%d calls", len(rules))
	return nil
}

// rule is what becomes of one system call: allowed when every condition holds,
// and errno otherwise.
type rule struct {
	nr    uintptr
	when  []condition
	errno uint32 // for a call that is refused; 0 is EPERM
	deny  bool
}

// condition compares the low half of an argument. The kernel reads no more of
// those that are compared here.
type condition struct {
	argument uint32
	mask     uint32   // of the bits that count
	any      []uint32 // what they may be
}

// Offsets in struct seccomp_data (linux/seccomp.h), on a little-endian machine.
const (
	offsetNumber       = 0
	offsetArchitecture = 4
	offsetArguments    = 16
)

const refuse = unix.SECCOMP_RET_ERRNO

// assemble makes a program for the filter machine: everything that no rule
// names is EPERM, another architecture's numbering is the end of the process.
func assemble(arch uint32, rules []rule) ([]unix.SockFilter, error) {
	p := program{}
	p.load(offsetArchitecture)
	p.skipIfEqual(arch, 1)
	p.answer(unix.SECCOMP_RET_KILL_PROCESS)
	p.load(offsetNumber)
	for _, r := range rules {
		if err := p.rule(r); err != nil {
			return nil, err
		}
	}
	p.answer(refuse | uint32(unix.EPERM))
	if len(p) > unix.BPF_MAXINSNS {
		return nil, fmt.Errorf("a program of %d instructions, above %d", len(p), unix.BPF_MAXINSNS)
	}
	return p, nil
}

type program []unix.SockFilter

func (p *program) put(code uint16, jt, jf uint8, k uint32) {
	*p = append(*p, unix.SockFilter{Code: code, Jt: jt, Jf: jf, K: k})
}

func (p *program) load(offset uint32)   { p.put(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, 0, 0, offset) }
func (p *program) answer(action uint32) { p.put(unix.BPF_RET|unix.BPF_K, 0, 0, action) }

func (p *program) skipIfEqual(k uint32, skip uint8) {
	p.put(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, skip, 0, k)
}

// rule leaves the number of the call in the accumulator for the next one.
func (p *program) rule(r rule) error {
	var body program
	errno := r.errno
	if errno == 0 {
		errno = uint32(unix.EPERM)
	}
	for _, c := range r.when {
		body.condition(c, refuse|errno)
	}
	if r.deny {
		body.answer(refuse | errno)
	} else {
		body.answer(unix.SECCOMP_RET_ALLOW)
	}
	if len(body) > math.MaxUint8 {
		return fmt.Errorf("the rule for call %d is too long", r.nr)
	}
	p.put(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, 0, uint8(len(body)), uint32(r.nr))
	*p = append(*p, body...)
	return nil
}

func (p *program) condition(c condition, otherwise uint32) {
	p.load(offsetArguments + 8*c.argument)
	p.put(unix.BPF_ALU|unix.BPF_AND|unix.BPF_K, 0, 0, c.mask)
	for i, v := range c.any {
		p.skipIfEqual(v, uint8(len(c.any)-i))
	}
	p.answer(otherwise)
}
