package config

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
)

// field is one setting: its key, its help and where it is kept.
type field struct {
	key, help string
	reload    string // see Merge
	value     reflect.Value
}

// fields lists c's settings in the order of the struct.
func fields(c *Config) []field {
	v := reflect.ValueOf(c).Elem()
	var out []field
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		if key := tag.Get("koanf"); key != "-" {
			out = append(out, field{key: key, help: tag.Get("help"), reload: tag.Get("reload"), value: v.Field(i)})
		}
	}
	return out
}

// assign converts what a layer gave: a TOML value, or text from the environment
// and from flags.
func (f field) assign(raw any) error {
	switch p := f.value.Addr().Interface().(type) {
	case *string:
		return assignString(p, raw)
	case *bool:
		return assignBool(p, raw)
	case *int:
		return assignInt(p, raw)
	case *Bytes:
		return assignBytes(p, raw)
	case *List:
		return assignList(p, raw)
	case *time.Duration:
		return assignDuration(p, raw)
	default:
		return fmt.Errorf("no conversion to %s", f.value.Type())
	}
}

func assignString(p *string, raw any) error {
	s, ok := raw.(string)
	if !ok {
		return fmt.Errorf("want a string in quotes, not %v", raw)
	}
	*p = s
	return nil
}

func assignBool(p *bool, raw any) (err error) {
	switch v := raw.(type) {
	case bool:
		*p = v
	case string:
		if *p, err = strconv.ParseBool(v); err != nil {
			return fmt.Errorf("want true or false, not %q", v)
		}
	default:
		return fmt.Errorf("want true or false, not %v", raw)
	}
	return nil
}

func assignInt(p *int, raw any) error {
	switch v := raw.(type) {
	case int64:
		if v > math.MaxInt32 || v < math.MinInt32 {
			return fmt.Errorf("%d is out of range", v)
		}
		*p = int(v)
	case string:
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil {
			return fmt.Errorf("want a whole number, not %q", v)
		}
		*p = int(n)
	default:
		return fmt.Errorf("want a whole number, not %v", raw)
	}
	return nil
}

func assignBytes(p *Bytes, raw any) error {
	switch v := raw.(type) {
	case int64:
		*p = Bytes(v)
		return nil
	case string:
		return p.Set(v)
	default:
		return fmt.Errorf("want a size such as \"64MiB\", not %v", raw)
	}
}

func assignDuration(p *time.Duration, raw any) (err error) {
	s, ok := raw.(string)
	if ok {
		*p, err = time.ParseDuration(s)
		ok = err == nil
	}
	if !ok {
		return fmt.Errorf("want a duration such as \"30s\" or \"5m\", not %v", raw)
	}
	return nil
}
