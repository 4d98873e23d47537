package host

import "sync/atomic"

// settings are a Config of which a reload may change a part while everything
// runs.
type settings struct{ current atomic.Pointer[Config] }

func newSettings(c Config) *settings {
	s := &settings{}
	s.current.Store(&c)
	return s
}

// now is what holds at this moment; nobody may change it. What has to stay the
// same for a while is to be asked for once.
func (s *settings) now() *Config { return s.current.Load() }
