package tenants

import (
	"fmt"
	"slices"
	"strings"
)

// verdict says what becomes of a package that has compiled code. The guest
// loads no shared libraries.
type verdict uint8

const (
	// impossible: the package needs its compiled code.
	impossible verdict = iota
	// fallback: it falls back to Python when its compiled code is missing. Each
	// one in the table was installed, stripped, imported and exercised under
	// CPython 3.13.
	fallback
	// optional: it does nothing without its compiled code, but those who depend
	// on it try the import and go on without it. It is left out.
	optional
	// server: it is another WSGI server or its event loop, whose place this
	// host takes. It is left out.
	server
)

// nativePackage is one row of the table.
type nativePackage struct {
	names   string // normalised, separated by spaces
	verdict verdict
	advice  string // impossible: what to use; optional, server: why it is left out
}

const (
	noAlternative = "there is no pure Python alternative"
	useSQLite     = "; SQLite (sqlite3) works without it"
	useAService   = "there is no pure Python alternative: move this work to a service of its own"
	wasgiServes   = "wasgi takes the place of this server; an import of it by the application fails"
)

// nativePackages is the table of what is known. A package that is not in it
// and has compiled code is impossible, without advice.
func nativePackages() []nativePackage {
	return []nativePackage{
		{"markupsafe pyyaml sqlalchemy simplejson wrapt zope-interface charset-normalizer coverage " +
			"frozenlist multidict propcache yarl aiohttp msgpack tornado websockets protobuf tomli falcon " +
			"pymongo lazy-object-proxy rapidfuzz immutables chardet setproctitle", fallback, ""},

		{"greenlet", optional, "needed by SQLAlchemy's asyncio extension only; greenlets cannot run here"},
		{"ruamel-yaml-clib", optional, "only makes ruamel.yaml faster"},
		{"hiredis", optional, "only makes redis faster"},
		{"uvloop httptools watchfiles", optional, "only makes ASGI servers faster"},

		{"uwsgi uwsgitop pyuwsgi mod-wsgi mod-wsgi-standalone gevent gevent-websocket eventlet meinheld bjoern fastwsgi granian " +
			"nginx-unit", server, wasgiServes},

		{"psycopg2 psycopg2-binary psycopg-binary psycopg-c psycopg asyncpg", impossible, "use pg8000" + useSQLite},
		{"mysqlclient mysql-python", impossible, "use PyMySQL" + useSQLite},
		{"pymssql pyodbc", impossible, "use python-tds" + useSQLite},
		{"cx-oracle oracledb", impossible, noAlternative + useSQLite},
		{"cryptography", impossible, "there is no pure Python alternative yet; hashlib, hmac and secrets work, and so does PyJWT with HS256"},
		{"pycryptodome pycryptodomex pynacl m2crypto", impossible, "there is no pure Python alternative yet; hashlib, hmac and secrets work"},
		{"bcrypt", impossible, "use hashlib.scrypt or hashlib.pbkdf2_hmac (werkzeug.security and Django's PBKDF2PasswordHasher do)"},
		{"argon2-cffi argon2-cffi-bindings scrypt", impossible, "use hashlib.scrypt (Django: ScryptPasswordHasher)"},
		{"cffi", impossible, "the guest has no foreign function interface; replace the package that needs it"},
		{"lxml", impossible, "use xml.etree.ElementTree for XML, html5lib for HTML"},
		{"xmlsec python-xmlsec", impossible, noAlternative},
		{"pillow pillow-simd", impossible, useAService},
		{"numpy pandas scipy scikit-learn matplotlib torch tensorflow opencv-python opencv-python-headless polars pyarrow numba",
			impossible, useAService},
		{"tokenizers tiktoken sentencepiece spacy", impossible, useAService},
		{"shapely fiona gdal rasterio", impossible, useAService},
		{"orjson ujson python-rapidjson", impossible, "use json of the standard library"},
		{"pydantic-core", impossible, "use pydantic below version 2, which is pure Python"},
		{"rpds-py", impossible, "it comes with jsonschema; use jsonschema below 4.18, which is pure Python"},
		{"cbor2", impossible, "use msgpack or json"},
		{"regex", impossible, "use re of the standard library"},
		{"levenshtein python-levenshtein jellyfish", impossible, "use rapidfuzz"},
		{"brotli brotlicffi brotlipy zstandard lz4 python-snappy", impossible, "use zlib, gzip, bz2 or lzma of the standard library"},
		{"xxhash mmh3 blake3", impossible, "use hashlib.blake2b"},
		{"psutil", impossible, "a guest sees no processes; " + noAlternative},
		{"pycurl", impossible, "use urllib.request or requests"},
		{"python-ldap", impossible, "use ldap3"},
		{"persistent btrees zodb", impossible, noAlternative + useSQLite},
		{"pyzmq grpcio grpcio-tools confluent-kafka", impossible, useAService},
		{"libsass", impossible, "compile style sheets before deploying"},
	}
}

// lookupNative finds a package in the table; an unknown one is impossible.
func lookupNative(name string) (row nativePackage, known bool) {
	for _, row := range nativePackages() {
		if slices.Contains(strings.Fields(row.names), name) {
			return row, true
		}
	}
	return nativePackage{verdict: impossible}, false
}

// Native is a package that cannot work in the guest.
type Native struct {
	Name   string // normalised
	File   string // the first compiled file that was found, "" before installing
	Advice string // what to use instead, "" when unknown
}

// String is "name (file): advice".
func (n Native) String() string {
	s := n.Name
	if n.File != "" {
		s += " (" + n.File + ")"
	}
	if n.Advice != "" {
		s += ": " + n.Advice
	}
	return s
}

// NativeError refuses dependencies that need compiled code.
type NativeError struct {
	Tenant   string
	Packages []Native
}

// Error names each package and what to use instead.
func (e *NativeError) Error() string {
	lines := make([]string, len(e.Packages))
	for i, p := range e.Packages {
		lines[i] = p.String()
	}
	return fmt.Sprintf("%s: packages that need compiled code, which the guest cannot load:\n  %s",
		e.Tenant, strings.Join(lines, "\n  "))
}
