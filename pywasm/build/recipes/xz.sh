unpack xz-utils . src
target
cd src
CFLAGS=$LIBFLAGS ./configure --host=wasm32-unknown-wasi --prefix="$OUT" \
    --disable-threads --disable-shared --disable-nls --disable-doc --disable-scripts \
    --disable-xz --disable-xzdec --disable-lzmadec --disable-lzmainfo --disable-sandbox
make -j"$JOBS" -C src/liblzma install
