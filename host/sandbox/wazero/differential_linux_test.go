package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasgi/wasgi/pywasm/branchhint"
)

// TestDifferential runs programs that Binaryen makes of random bytes, as they
// come and optimised, in wazero's interpreter and in its compiler: the released
// one in a plain go test, the patched one in make test, without and with a guard behind its
// memory, and with branch hints at random. Results, traps, calls of the host and memory must agree. WASGI_DIFFERENTIAL is the number of
// programs, each of which has some ten functions.
func TestDifferential(t *testing.T) {
	if _, err := exec.LookPath("wasm-opt"); err != nil {
		t.Skip("the program wasm-opt is missing; make build installs it")
	}
	programs, first := howMany(t), rand.Uint64()
	compared := 0
	for i := range uint64(programs) {
		for _, level := range []string{"-O0", "-O3"} {
			seed := first + i
			module := program(t, seed, level)
			compared += len(compare(t, fmt.Sprintf("seed %d, %s", seed, level), module, seed, func(ctx context.Context, config wazero.RuntimeConfig, module []byte) []string {
				return account(t, ctx, config, module)
			}))
		}
	}
	if compared < programs {
		t.Errorf("only %d calls were compared", compared)
	}
	t.Logf("%d calls of %d programs", compared, 2*programs)
}

// howMany is the number of programs to compare.
func howMany(t *testing.T) int {
	t.Helper()
	if testing.Short() {
		t.Skip("short")
	}
	if n, err := strconv.Atoi(os.Getenv("WASGI_DIFFERENTIAL")); err == nil {
		return n
	}
	return 40
}

// compare runs a program in the interpreter, whose account it returns, and in the
// compiler: without and with a guard behind its memory, with hints that the seed
// makes, and with counters of its branches.
func compare(t *testing.T, which string, module []byte, seed uint64, run func(context.Context, wazero.RuntimeConfig, []byte) []string) []string {
	t.Helper()
	want := run(t.Context(), wazero.NewRuntimeConfigInterpreter(), module)
	for _, v := range []struct {
		how    string
		ctx    context.Context
		module []byte
	}{
		{"memory compared", t.Context(), module},
		{"memory guarded", withGuards(t), module},
		{"memory guarded, with hints", withGuards(t), hinted(t, module, rand.New(rand.NewPCG(seed, 2)))},
		{"memory compared, with counters", new(branchhint.Counts).In(t.Context()), module},
	} {
		if diff := difference(want, run(v.ctx, wazero.NewRuntimeConfigCompiler(), v.module)); diff != "" {
			t.Errorf("%s, %s: %s", which, v.how, diff)
		}
	}
	return want
}

// TestDifferentialMemory does the same with programs that access memory near its edges:
// a sixth of their calls traps there. Memory must agree after a trap, too.
func TestDifferentialMemory(t *testing.T) {
	programs, first := howMany(t), rand.Uint64()
	calls, traps := 0, 0
	for seed := first; seed < first+uint64(programs); seed++ {
		p := &programmer{Rand: rand.New(rand.NewPCG(seed, 1))}
		module := assemble(t, p.program())
		args := p.arguments()
		want := compare(t, fmt.Sprintf("seed %d", seed), module, seed, func(ctx context.Context, config wazero.RuntimeConfig, module []byte) []string {
			return answers(t, ctx, config, module, args)
		})
		calls += len(want)
		for _, w := range want {
			traps += strings.Count(w, "out of bounds memory access")
		}
	}
	if traps < programs {
		t.Errorf("only %d of %d calls were out of bounds", traps, calls)
	}
	t.Logf("%d calls, %d out of bounds", calls, traps)
}

// answers calls the functions f0, f1 and so on with each list of arguments.
func answers(t *testing.T, ctx context.Context, config wazero.RuntimeConfig, module []byte, args [][][]uint64) []string {
	t.Helper()
	runtime := wazero.NewRuntimeWithConfig(ctx, config)
	defer runtime.Close(ctx)
	in, err := runtime.Instantiate(ctx, module)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for f, calls := range args {
		for _, call := range calls {
			results, err := in.ExportedFunction(fmt.Sprintf("f%d", f)).Call(ctx, call...)
			said := ""
			if err != nil {
				said = short(err)
			}
			memory, _ := in.Memory().Read(0, in.Memory().Size())
			all = append(all, fmt.Sprintf("f%d %x %s %x", f, defined(results, []api.ValueType{api.ValueTypeI32}[:len(results)]), said, sha256.Sum256(memory)))
		}
	}
	return all
}

// program is a module of the seed's bytes. Its loops and recursion end, and no
// NaN lives long enough to be looked at.
func program(t *testing.T, seed uint64, level string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out.wasm")
	r := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, 1000+r.IntN(30_000))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	if err := os.WriteFile(in, b, 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command("wasm-opt", in, "-ttf", "--denan", level, "--enable-bulk-memory", "--enable-sign-ext",
		"--enable-nontrapping-float-to-int", "--enable-mutable-globals", "-o", out).CombinedOutput()
	if err != nil {
		t.Fatalf("wasm-opt: %v: %s", err, said)
	}
	if b, err = os.ReadFile(out); err != nil {
		t.Fatal(err)
	}
	return b
}

// account calls every function that the module exports, and says what happened.
func account(t *testing.T, ctx context.Context, config wazero.RuntimeConfig, module []byte) []string {
	t.Helper()
	runtime := wazero.NewRuntimeWithConfig(ctx, config)
	defer runtime.Close(ctx)
	compiled, err := runtime.CompileModule(ctx, module)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	if err := supports(ctx, runtime, compiled, &calls); err != nil {
		t.Fatal(err)
	}
	in, err := runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return []string{"instantiate: " + short(err)}
	}
	for _, name := range slices.Sorted(maps.Keys(compiled.ExportedFunctions())) {
		calls = append(calls, outcome(ctx, in, name))
	}
	return calls
}

// supports makes the host functions that the module wants. They write down how
// they were called.
func supports(ctx context.Context, runtime wazero.Runtime, m wazero.CompiledModule, calls *[]string) error {
	hosts := map[string]wazero.HostModuleBuilder{}
	for _, f := range m.ImportedFunctions() {
		module, name, _ := f.Import()
		if hosts[module] == nil {
			hosts[module] = runtime.NewHostModuleBuilder(module)
		}
		params := len(f.ParamTypes())
		hosts[module].NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(_ context.Context, _ api.Module, stack []uint64) {
			*calls = append(*calls, fmt.Sprintf("%s%x", name, defined(stack[:params], f.ParamTypes())))
			clear(stack)
		}), f.ParamTypes(), f.ResultTypes()).Export(name)
	}
	for _, h := range hosts {
		if _, err := h.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// difference is the first of two accounts' differences.
func difference(want, got []string) string {
	for i := range max(len(want), len(got)) {
		var w, g string
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if strings.Contains(w+g, "stack overflow") {
			return "" // the two have stacks of different size
		}
		if w != g {
			return fmt.Sprintf("event %d: the interpreter has %q, the compiler %q", i, w, g)
		}
	}
	return ""
}

func outcome(ctx context.Context, in api.Module, name string) string {
	f := in.ExportedFunction(name)
	params := make([]uint64, len(f.Definition().ParamTypes()))
	for i := range params {
		params[i] = uint64(binary.LittleEndian.Uint32([]byte{byte(i), 0x80, 0, byte(i)}))
	}
	results, err := f.Call(ctx, params...)
	memory, _ := in.Memory().Read(0, in.Memory().Size())
	if err != nil {
		return fmt.Sprintf("%s %s %x", name, short(err), sha256.Sum256(memory))
	}
	return fmt.Sprintf("%s %x %x", name, defined(results, f.Definition().ResultTypes()), sha256.Sum256(memory))
}

// defined clears what is above a value of 32 bits.
func defined(values []uint64, types []api.ValueType) []uint64 {
	for i, t := range types {
		if t == api.ValueTypeI32 || t == api.ValueTypeF32 {
			values[i] = uint64(uint32(values[i]))
		}
	}
	return values
}

// short is an error without the stack.
func short(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}
