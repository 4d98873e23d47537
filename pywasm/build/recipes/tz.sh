# Time zones: wasi-libc knows UTC alone and leaves out what musl, which it is
# made of, knows of TZ. musl's own code is compiled against wasi-libc; what it
# needs of the guest is in $GUEST/timezone.c.
unpack musl . src
target
mkdir shim "$OUT/lib"
echo 'static struct { int secure; } libc;' >shim/libc.h
printf '#define LOCK(x) ((void)(x))\n#define UNLOCK(x) ((void)(x))\n' >shim/lock.h
: >shim/fork_impl.h
cat >shim/musl.h <<'HEADER'
#define hidden __attribute__((__visibility__("hidden")))
#define weak_alias(old, new) extern __typeof(old) new __attribute__((__weak__, __alias__(#old)))
#define __munmap __unmap_file
#define __tm_to_tzname __tm_to_tzname_of_musl
#define __libc_malloc malloc
#define __libc_free free
const unsigned char *__map_file(const char *path, unsigned long *size);
void __unmap_file(const void *data, unsigned long size);
HEADER
# Seconds east of UTC are an int in wasi-libc's struct tm, a long in musl's.
cd src/src/time
sed -i 's/int \*, long \*, long \*/int *, int *, int */' time_impl.h
sed -i 's/long \*offset, long \*oppoff/int *offset, int *oppoff/' __tz.c
sed -i 's/long opp;/int opp;/' mktime.c
cd "$WORK"
for name in __tz localtime_r mktime; do
    $CC $LIBFLAGS -D_XOPEN_SOURCE=700 $EMULATED -std=c99 -Ishim -include shim/musl.h -Wno-ignored-attributes \
        -c "src/src/time/$name.c" -o "$name.o"
done
wasm-ld-22 -r -o "$OUT/lib/tz.o" __tz.o localtime_r.o mktime.o
