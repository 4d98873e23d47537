# The C library for the guest, and a compiler driver that knows where it is.
dpkg -x "$NEED_fetch"/wasi-libc/*.deb "$OUT"
mkdir "$OUT/bin"
cat >"$OUT/bin/wasm-clang" <<'DRIVER'
#!/bin/sh
root=${0%/*}/../usr
exec clang-22 --target=wasm32-wasip1 --sysroot="$root" -isystem "$root/include/wasm32-wasip1" \
    -L"$root/lib/wasm32-wasip1" -Wno-unused-command-line-argument \
    ${WASGI_WORK:+-ffile-prefix-map="$WASGI_WORK"=.} "$@" -g0
DRIVER
chmod +x "$OUT/bin/wasm-clang"
echo 'int main(void) { return 0; }' >probe.c
"$OUT/bin/wasm-clang" probe.c -o probe.wasm
