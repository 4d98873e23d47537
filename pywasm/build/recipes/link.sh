# Our C code and CPython become one reactor module. The stack comes first in
# memory, so that an overflow traps instead of writing over data.
target
for source in "$GUEST"/*.c; do
    $CC -O3 $FEATURES $EMULATED -D__wasilibc_use_wasip2 -D_GNU_SOURCE -I"$NEED_cross/posix" -std=c11 -Wall -Wextra -Wno-unused-parameter -fvisibility=hidden \
        -DNDEBUG -DPy_BUILD_CORE -I"$GUEST" -I"$NEED_cross/include" -I"$NEED_cross/include/internal" \
        -I"$NEED_cross/include/internal/mimalloc" -c "$source" -o "$(basename "$source" .c).o"
done
# wasi-libc and OpenSSL have these in one object with others, or are asked by them: see posix_modes.c, posix_select.c, refusal.c, random_tls.c.
wrapped=$(printf ' -Wl,--wrap=%s' open openat mkdir mkdirat chmod fchmod fchmodat select strerror \
    RAND_bytes RAND_priv_bytes RAND_bytes_ex RAND_priv_bytes_ex)
$CC -mexec-model=reactor ./*.o "$NEED_cross/lib/python.o" "$NEED_tz/lib/tz.o" -L"$NEED_cross/lib" \
    -lz -lbz2 -llzma -lsqlite3 -lssl -lcrypto -ldl -lm -lwasi-emulated-signal -lwasi-emulated-getpid \
    -lwasi-emulated-process-clocks -lwasi-emulated-mman \
    -z stack-size=4194304 -Wl,--stack-first -Wl,--initial-memory=33554432 \
    $wrapped -Wl,--export=__stack_pointer -Wl,-s -o "$OUT/python.wasm"
