# libcrypto for hashlib. Without sockets libssl is of no use to _ssl, but
# CPython's configure looks for it.
unpack openssl . src
target
# libcrypto says what has compiled it, in the words of CC: without the folder, which is
# another one on each machine, the guest is the same on all of them.
export PATH="$NEED_sysroot/bin:$PATH" CC=wasm-clang
cd src
CFLAGS=$LIBFLAGS ./Configure linux-generic32 --prefix=/ --libdir=lib --openssldir=/etc/ssl \
    no-asm no-threads no-shared no-dso no-engine no-module no-afalgeng no-async no-tests no-apps \
    no-docs no-ui-console no-posix-io no-secure-memory no-sock no-dgram no-quic no-http \
    $EMULATED -DUSE_TIMEGM -DNO_SYSLOG
make -j"$JOBS" build_libs
make install_dev DESTDIR="$OUT"
