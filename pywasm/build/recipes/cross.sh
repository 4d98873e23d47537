# CPython for the guest, as one relocatable object: link-time optimisation
# happens here, once, so that linking with our own C code takes a second.
unpack python3.13 CVE- src
target
PATH=$NEED_sysroot/bin:$PATH
mkdir build "$WORK/none"
cat src/Tools/wasm/config.site-wasm32-wasi - >config.site <<'SITE'
py_cv_module__ctypes=n/a
py_cv_module__uuid=n/a
py_cv_module_readline=n/a
ac_cv_func_getpeername=yes
ac_cv_func_getaddrinfo=yes
ac_cv_func_getnameinfo=yes
ac_cv_func_gethostbyname=yes
ac_cv_working_tzset=yes
SITE
# What the guest adds to wasi-libc; the link step has the code.
for name in chmod dup dup2 fchmod fchmodat flock getegid geteuid getgid getlogin getppid getuid lockf umask; do
    echo "ac_cv_func_$name=yes"
done >>config.site
sed -i '/py_cv_module_fcntl=n\/a/d' src/configure
# gh-156762, fixed in 3.14: tp_clear returns an int, and WebAssembly traps where
# a function is not of the type by which it is called.
patch -d src -p1 -s -N -f -F 0 <<'PATCH'
--- a/Modules/_operator.c
+++ b/Modules/_operator.c
@@ -1689,5 +1689,5 @@
 }
 
-static void
+static int
 methodcaller_clear(methodcallerobject *mc)
 {
@@ -1700,4 +1700,5 @@
         Py_CLEAR(mc->vectorcall_kwnames);
     }
+    return 0;
 }
 
PATCH
cp "$GUEST/posix.h" .
# The calls of sockets are declared here and linked later: $GUEST/socket*.c.
mkdir "$WORK/posix"
cp -r "$GUEST/posix/." "$WORK/posix"
cp "$NEED_sysroot/usr/include/wasm32-wasip2/netdb.h" "$WORK/posix"
cd build
export CONFIG_SITE="$WORK/config.site" CPP="$CC -E" PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR="$WORK/none"
export ZLIB_CFLAGS="-I$NEED_zlib/include" ZLIB_LIBS="-L$NEED_zlib/lib -lz"
export BZIP2_CFLAGS="-I$NEED_bzip2/include" BZIP2_LIBS="-L$NEED_bzip2/lib -lbz2"
export LIBLZMA_CFLAGS="-I$NEED_xz/include" LIBLZMA_LIBS="-L$NEED_xz/lib -llzma"
export LIBSQLITE3_CFLAGS="-I$NEED_sqlite/include" LIBSQLITE3_LIBS="-L$NEED_sqlite/lib -lsqlite3"
# _hashopenssl.c insists on OPENSSL_THREADS; the guest has one thread.
CFLAGS="-O3 -g0 $FEATURES -DOPENSSL_THREADS -D__wasilibc_use_wasip2 -include $WORK/posix.h -I$WORK/posix" ../src/configure --prefix=/usr \
    --host=wasm32-unknown-wasip1 --build="$(../src/config.guess)" \
    --with-build-python="$NEED_native/build/python" --with-openssl="$NEED_openssl" \
    --with-hash-algorithm=siphash13 --with-tzpath=/usr/share/zoneinfo --with-pymalloc --enable-ipv6 --disable-test-modules --without-ensurepip

cat >print.mk <<'MAKE'
include Makefile
modlibs: ; @echo $(MODLIBS)
MAKE
archives=$(make -s --no-print-directory -f print.mk modlibs | tr ' ' '\n' | grep '\.a$' | sort -u)
make -j"$JOBS" CFLAGS_NODIST=-flto=full libpython3.13.a $archives pybuilddir.txt
mkdir -p "$OUT/lib" "$OUT/include" "$OUT/python3.13"
wasm-ld-22 -r -o "$OUT/lib/python.o" --whole-archive libpython3.13.a --no-whole-archive $archives
cp "$NEED_zlib"/lib/*.a "$NEED_bzip2"/lib/*.a "$NEED_xz"/lib/*.a "$NEED_sqlite"/lib/*.a \
    "$NEED_openssl"/lib/libcrypto.a "$NEED_openssl"/lib/libssl.a "$OUT/lib"
cp -r ../src/Include/. pyconfig.h "$OUT/include"
cp -r "$WORK/posix" "$OUT"
cp -r "$NEED_openssl/include/." "$OUT/include"

# The library, without what needs a screen or tests CPython itself.
cp -r ../src/Lib/. "$OUT/python3.13"
cd "$OUT/python3.13"
rm -rf test idlelib turtledemo turtle.py tkinter ensurepip __phello__ site-packages
find . -name __pycache__ -prune -exec rm -rf {} +
sed -e "s|$WORK|/usr/src|g" -e "s|$CACHE|/usr/src|g" \
    "$WORK"/build/build/lib.*/_sysconfigdata__wasi_wasm32-wasi.py >_sysconfigdata__wasi_wasm32-wasi.py
