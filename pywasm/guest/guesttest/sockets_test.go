package guesttest

import (
	"context"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasgi/wasgi/abi"
)

// refusedText is what the host says of listening, and here of everything.
const refusedText = "the network policy refuses listening for connections (rule listen): applications only connect"

// notCapable is the number of WASI for what the network's policy refuses.
const notCapable = 76

// instantiateSockets makes the module of sockets: it refuses everything.
func instantiateSockets(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder(abi.SocketModule)
	for name, params := range map[string]int{
		abi.SocketOpen: 5, abi.SocketPair: 4, abi.SocketConnect: 2, abi.SocketName: 3, abi.SocketSend: 6, abi.SocketReceive: 6, abi.SocketShutdown: 2,
		abi.SocketOptionGet: 4, abi.SocketOptionSet: 4, abi.SocketResolve: 5, abi.SocketRefuse: 1, abi.SocketRefusal: 3,
	} {
		code := refuseSocket
		if name == abi.SocketRefusal {
			code = tellRefusal
		}
		types := []api.ValueType{api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32}[:params]
		b = b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(code), types, types[:1]).Export(name)
	}
	_, err := b.Instantiate(ctx)
	return err
}

func refuseSocket(_ context.Context, _ api.Module, stack []uint64) { stack[0] = notCapable }

func tellRefusal(_ context.Context, m api.Module, stack []uint64) {
	text := refusedText[:min(len(refusedText), int(uint32(stack[1])))]
	m.Memory().Write(uint32(stack[0]), []byte(text))
	m.Memory().WriteUint32Le(uint32(stack[2]), uint32(len(text)))
	stack[0] = 0
}
