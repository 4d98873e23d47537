unpack bzip2 '^$' src
target
cd src
for name in blocksort huffman crctable randtable compress decompress bzlib; do
    $CC $LIBFLAGS -D_FILE_OFFSET_BITS=64 -c $name.c -o $name.o
done
mkdir -p "$OUT/lib" "$OUT/include"
$AR rcs "$OUT/lib/libbz2.a" ./*.o
cp bzlib.h "$OUT/include"
