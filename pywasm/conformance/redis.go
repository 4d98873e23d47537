package main

import (
	"context"
	"os/exec"
	"slices"
	"syscall"
)

// redisMarkers leave out what the suite itself marks as being for other servers
// than one Redis on its own.
const redisMarkers = "not onlycluster and not redismod and not ssl and not cp_integration and not multidb_integration"

// redis is redis-py, the sync and the asyncio clients.
func redis() suite {
	return suite{name: "redis", sdist: "redis", server: redisServer(),
		wheels: pytestWheels("pytest-asyncio", "pybreaker", "pyjwt", "opentelemetry-api", "opentelemetry-sdk",
			"opentelemetry-semantic-conventions", "typing-extensions"),
		units: redisUnits}
}

func redisUnits(ctx context.Context, w *world, from sources) ([]unit, error) {
	units, err := pytestSuite{tests: "tests", path: []string{"."}, quiet: clientTest}.units(ctx, w, from)
	for i := range units {
		u := &units[i]
		// Its own filter of warnings names one of the package coverage.
		u.args = slices.Insert(u.args, len(u.args)-1, "-m", redisMarkers, "--override-ini=filterwarnings=always")
	}
	return units, err
}

func redisServer() *server {
	return &server{
		program: "/usr/bin/redis-server", user: "redis", end: syscall.SIGTERM,
		command: func(ctx context.Context, dir, program, port string) *exec.Cmd {
			return exec.CommandContext(ctx, program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", dir,
				"--enable-debug-command", "yes", "--enable-module-command", "yes")
		},
		tell: func(u *unit, port string) {
			url := "redis://127.0.0.1:" + port + "/0"
			u.args = append(u.args, "--redis-url="+url, "--redis-mod-url="+url)
		},
	}
}
