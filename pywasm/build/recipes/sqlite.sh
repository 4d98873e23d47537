# The guest has fcntl locks (posix_fds.c) and no shared memory: see
# pywasm/DESIGN.md. WAL therefore needs a connection of its own, which the text
# of the error says; HAVE_FCHMOD because a journal gets the database's mode.
unpack sqlite3 CVE- src
cd src
edit() { # FILE LINE-PATTERN COMMAND: a change that must find its line
    grep -q -- "$2" "$1" || { echo "$1 has changed: no line $2" >&2; exit 1; }
    sed -i -- "/$2/$3" "$1"
}
edit src/os_unix.c '^# undef HAVE_FCHMOD' d
edit src/os_unix.c SQLITE_OMIT_WAL s/SQLITE_OMIT_WAL/SQLITE_WASI/
edit src/sqlite.h.in '^# define SQLITE_OMIT_WAL 1' d
edit src/pager.c 'WalSupported(pPager) ) return SQLITE_CANTOPEN;' 's/SQLITE_CANTOPEN/SQLITE_CANTOPEN_DIRTYWAL/'
edit src/main.c '^    case SQLITE_ABORT_ROLLBACK: {' 'i \
    case SQLITE_CANTOPEN_DIRTYWAL: { \
      zErr = "unable to open database file: it is in WAL mode, which needs shared memory that WebAssembly lacks: " \
             "run PRAGMA locking_mode=EXCLUSIVE first, or PRAGMA journal_mode=DELETE where it was made"; \
      break; \
    }'
./configure --disable-tcl --disable-shared --disable-readline
make sqlite3.c sqlite3.h
target
mkdir -p "$OUT/lib" "$OUT/include"
$CC $LIBFLAGS $EMULATED -DSQLITE_WASI '-DSQLITE_DEFAULT_UNIX_VFS="unix"' -DSQLITE_OS_UNIX=1 -DSQLITE_THREADSAFE=0 \
    -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_MAX_MMAP_SIZE=0 -DHAVE_FCHMOD -DSQLITE_TEMP_STORE=2 \
    -DSQLITE_ENABLE_FTS3 -DSQLITE_ENABLE_FTS3_PARENTHESIS -DSQLITE_ENABLE_FTS4 -DSQLITE_ENABLE_FTS5 \
    -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_MATH_FUNCTIONS -DSQLITE_ENABLE_COLUMN_METADATA \
    -DSQLITE_ENABLE_DBSTAT_VTAB -DSQLITE_ENABLE_UPDATE_DELETE_LIMIT -DHAVE_USLEEP=1 \
    -c sqlite3.c -o sqlite3.o
$AR rcs "$OUT/lib/libsqlite3.a" sqlite3.o
cp sqlite3.h src/sqlite3ext.h "$OUT/include"
