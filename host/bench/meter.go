package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wasgi/wasgi/pywasm"
	"github.com/wasgi/wasgi/pywasm/branchhint"
	"github.com/wasgi/wasgi/pywasm/meter"
)

// meterCost is a ratio of one round, in per cent.
const meterCost = "cost of metering"

// meterPart runs the guest as it is and the same module without the checks, in
// a hot loop, one after the other. Where the code of a guest comes to lie in memory is
// worth several per cent, for as long as it lies there: so each round loads both anew.
func meterPart(ctx context.Context, b *bench, s *section) error {
	s.note("Requests in a loop in this process: the module that the guest's build metered, and the same one with the counter's export and without a check, both without branch hints. " +
		"The cost is the time that a request takes more. Each round loads both anew, because where their code lies makes a difference.")
	metered, bare, embedded, err := meterPair()
	if err != nil {
		return err
	}
	if !embedded {
		s.note("The build's cache has lost the module of this guest: both are made from the newest one in it.")
	}
	for round := range b.opt.rounds {
		if err := b.meterRound(ctx, round, [2][]byte{metered, bare}, s); err != nil {
			return err
		}
	}
	return nil
}

// meterRound measures both modules, the other one first in every second round.
func (b *bench) meterRound(ctx context.Context, round int, modules [2][]byte, s *section) error {
	var both [2]*guests
	for i := range both {
		which := (i + round) % 2
		g, err := b.newGuests(ctx, [2]string{"metered", "unmetered"}[which], modules[which])
		if err != nil {
			return err
		}
		defer g.close()
		both[which] = g
	}
	for _, name := range []string{"bare", "flask", "django"} {
		if err := b.meterApp(ctx, name, round, both, s); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// meterPair is the module that the build's optimiser made, with checks and
// without. Of several it is the one that becomes the embedded guest, else the
// newest.
func meterPair() (metered, bare []byte, embedded bool, err error) {
	art, err := pywasm.Load()
	if err != nil {
		return nil, nil, false, err
	}
	guest, err := branchhint.Remove(art.Wasm())
	if err != nil {
		return nil, nil, false, err
	}
	files, err := buildResults("optimise", "python.wasm")
	if err != nil {
		return nil, nil, false, err
	}
	if len(files) == 0 {
		return nil, nil, false, errors.New("the build's cache has no module before metering: run go run ./pywasm/build --from optimise")
	}
	slices.SortFunc(files, func(a, b string) int { return modTime(b) - modTime(a) })
	for i := len(files) - 1; i >= 0 && !embedded; i-- {
		if metered, bare, err = bothWays(files[i]); err != nil {
			return nil, nil, false, err
		}
		embedded = bytes.Equal(metered, guest)
	}
	return metered, bare, embedded, nil
}

func bothWays(file string) (metered, bare []byte, err error) {
	module, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	if metered, _, err = meter.Instrument(module); err != nil {
		return nil, nil, err
	}
	bare, err = meter.Unchecked(module)
	return metered, bare, err
}

// buildResults are the files of this name that steps of the guest's build made.
func buildResults(step, file string) ([]string, error) {
	dir := os.Getenv("WASGI_BUILD_CACHE")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(cache, "wasgi", "build")
	}
	return filepath.Glob(filepath.Join(dir, "steps", step+"-*", "out", file))
}

// meterApp measures one application in both.
func (b *bench) meterApp(ctx context.Context, name string, round int, both [2]*guests, s *section) error {
	q, err := hello()
	if err != nil {
		return err
	}
	var rates [2]float64
	for i := range both {
		which := (i + round) % 2
		image, err := both[which].image(ctx, name, q)
		if err != nil {
			return err
		}
		defer image.Close()
		b.show.doing("%s, round %d of %d", name, round+1, b.opt.rounds)
		if rates[which], err = hot(ctx, image, 1, false, time.Duration(b.opt.seconds)*time.Second); err != nil {
			return err
		}
	}
	s.add(figure{What: "metered", Server: name, Unit: "req/s"}, rates[0])
	s.add(figure{What: "without checks", Server: name, Unit: "req/s"}, rates[1])
	s.add(figure{What: meterCost, Server: name, Unit: "%"}, 100*(rates[1]/rates[0]-1))
	return nil
}
