package config

import (
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Flags registers a flag for every setting: the key with dashes, its default
// and its help. Load takes the ones that were given.
func Flags(fs *pflag.FlagSet) {
	c := Default(os.Environ(), os.Getuid())
	for _, f := range fields(&c) {
		name := flagName(f.key)
		if f.reload != "" {
			f.help += " *"
		}
		switch p := f.value.Addr().Interface().(type) {
		case *string:
			fs.String(name, *p, f.help)
		case *bool:
			fs.Bool(name, *p, f.help)
		case *int:
			fs.Int(name, *p, f.help)
		case *Bytes:
			fs.Var(p, name, f.help)
		case *List:
			fs.Var(p, name, f.help)
		case *time.Duration:
			fs.Duration(name, *p, f.help)
		}
	}
}

func flagName(key string) string { return strings.ReplaceAll(key, "_", "-") }

func flagKey(name string) string { return strings.ReplaceAll(name, "-", "_") }
