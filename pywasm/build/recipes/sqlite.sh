# SQLITE_WASI makes unix-dotfile the default: a lock is a folder DATABASE.lock,
# made with mkdir, because WASI has no fcntl locks. See pywasm/DESIGN.md.
unpack sqlite3 CVE- src
cd src
./configure --disable-tcl --disable-shared --disable-readline
make sqlite3.c sqlite3.h
target
mkdir -p "$OUT/lib" "$OUT/include"
$CC $LIBFLAGS $EMULATED -DSQLITE_WASI -DSQLITE_OS_UNIX=1 -DSQLITE_THREADSAFE=0 \
    -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL -DSQLITE_MAX_MMAP_SIZE=0 -DSQLITE_TEMP_STORE=2 \
    -DSQLITE_ENABLE_FTS3 -DSQLITE_ENABLE_FTS3_PARENTHESIS -DSQLITE_ENABLE_FTS4 -DSQLITE_ENABLE_FTS5 \
    -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_MATH_FUNCTIONS -DSQLITE_ENABLE_COLUMN_METADATA \
    -DSQLITE_ENABLE_DBSTAT_VTAB -DSQLITE_ENABLE_UPDATE_DELETE_LIMIT -DHAVE_USLEEP=1 \
    -c sqlite3.c -o sqlite3.o
$AR rcs "$OUT/lib/libsqlite3.a" sqlite3.o
cp sqlite3.h src/sqlite3ext.h "$OUT/include"
