# Below 1,024 lies the far end of the C stack (--stack-first), where no object
# begins: so offsets may be folded into loads and stores, which then share
# bounds checks.
wasm-opt -O3 --low-memory-unused --enable-bulk-memory --enable-sign-ext --enable-nontrapping-float-to-int \
    --enable-mutable-globals --enable-multivalue --enable-reference-types \
    "$NEED_link/python.wasm" -o "$OUT/python.wasm"
