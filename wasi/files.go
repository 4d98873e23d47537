package wasi

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasgi/wasgi/abi"
)

// extensions are the functions of abi.FilesModule: what preview 1 lacks of POSIX.
func extensions() []hostFunction {
	params := func(types ...api.ValueType) []api.ValueType { return types }
	return []hostFunction{
		{abi.FilesDup, fdDup, params(i32, i32, i32)},
		{abi.FilesDup2, fdDup2, params(i32, i32)},
		{abi.FilesCreateMode, createMode, params(i32)},
		{abi.FilesFdChmod, fdChmod, params(i32, i32)},
		{abi.FilesPathChmod, pathChmod, params(i32, i32, i32, i32, i32)},
		{abi.FilesLock, fdLock, params(i32, i32, i32, i64, i64, i32)},
		{abi.FilesFlock, fdFlock, params(i32, i32)},
	}
}

func export(builder wazero.HostModuleBuilder, functions []hostFunction) {
	for _, f := range functions {
		builder.NewFunctionBuilder().
			WithGoModuleFunction(f.code, f.params, []api.ValueType{i32}).
			WithName(f.name).
			Export(f.name)
	}
}

func instantiateExtensions(ctx context.Context, r wazero.Runtime) error {
	for _, m := range []struct {
		name      string
		functions []hostFunction
	}{{abi.FilesModule, extensions()}, {abi.SocketModule, socketFunctions()}} {
		builder := r.NewHostModuleBuilder(m.name)
		export(builder, m.functions)
		if _, err := builder.Instantiate(ctx); err != nil {
			return fmt.Errorf("wasi: instantiating %s: %w", m.name, err)
		}
	}
	return nil
}
