package wasi

import (
	"context"
	"encoding/binary"
	"testing"
)

// FuzzCalls lets a hostile guest call whatever it likes with whatever arguments: nothing may panic, which wazero would
// return as the error of the call, and the limits must hold. Each call is 1 byte for the function and 9 times 4 bytes
// of arguments; the guest's memory begins with the data itself.
func FuzzCalls(f *testing.F) {
	f.Add([]byte("\x00aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"))
	f.Add(seedCalls())
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		disk, q := writableDirIn(t, dir, 1<<16, 8)
		memory := newMemory(1<<16, 8)
		g := newGuest(t, Policy{
			Mounts:       []Mount{mountOf("/app", testArchive(t)), mountOf("/data", disk), mountOf("/tmp", memory)},
			MaxOpenFiles: 5,
		})
		ctx, cancel := context.WithCancel(g.ctx)
		cancel() // so that no sleep is long
		g.module.Memory().Write(0, data[:min(len(data), guestPages<<16)])
		all := imported()
		for calls := data; len(calls) >= 37; calls = calls[37:] {
			function := all[int(calls[0])%len(all)]
			args := make([]uint64, len(function.params))
			for i := range args {
				args[i] = uint64(binary.LittleEndian.Uint32(calls[1+4*i:]))
			}
			if _, err := g.module.ExportedFunction(function.name).Call(ctx, args...); err != nil {
				t.Fatalf("%s%v: %v", function.name, args, err)
			}
		}
		if open := g.sandbox.OpenFiles(); len(open) > 5 {
			t.Errorf("open files: %q", open)
		}
		if bytes, files := q.Usage(); bytes < 0 || bytes > 1<<16 || files < 0 || files > 8 {
			t.Errorf("the quota counts %d bytes, %d files", bytes, files)
		}
		if blocks, files := memory.usage(); blocks < 0 || blocks > 16 || files < 0 || files > 8 {
			t.Errorf("memory counts %d blocks, %d files", blocks, files)
		}
	})
}

// seedCalls opens "a" in /tmp, writes, resizes, renames and removes it, with the path at address 1.
func seedCalls() []byte {
	var data []byte
	index := map[string]byte{}
	for i, f := range imported() {
		index[f.name] = byte(i)
	}
	add := func(name string, args ...uint32) {
		call := make([]byte, 37)
		call[0] = index[name]
		for i, a := range args {
			binary.LittleEndian.PutUint32(call[1+4*i:], a)
		}
		data = append(data, call...)
	}
	for _, mount := range []uint32{3, 4, 5} {
		add("path_create_directory", mount, 1, 1)
		add("path_open", mount, 1, 4, 1, 9, bothRights, bothRights, 0, 60000)
		add("fd_write", 6, 8, 2, 60000)
		add("fd_filestat_set_size", 6, 5000)
		add("fd_pread", 6, 8, 2, 3, 60000)
		add("path_rename", mount, 4, 1, mount, 5, 1)
		add("fd_readdir", mount, 61000, 300, 0, 60000)
		add("path_unlink_file", mount, 5, 1)
		add("fd_renumber", 6, 7)
		add("fd_close", 6)
		add("poll_oneoff", 0, 62000, 2, 60000)
	}
	return data
}
