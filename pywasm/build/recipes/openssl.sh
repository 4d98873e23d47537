# libcrypto for hashlib. Without sockets libssl is of no use to _ssl, but
# CPython's configure looks for it.
unpack openssl . src
target
cd src
CFLAGS=$LIBFLAGS ./Configure linux-generic32 --prefix=/ --libdir=lib --openssldir=/etc/ssl \
    no-asm no-threads no-shared no-dso no-engine no-module no-afalgeng no-async no-tests no-apps \
    no-docs no-ui-console no-posix-io no-secure-memory no-sock no-dgram no-quic no-http \
    $EMULATED -DUSE_TIMEGM -DNO_SYSLOG
make -j"$JOBS" build_libs
make install_dev DESTDIR="$OUT"
