# A CPython for this machine: it generates files for the cross build and
# compiles the byte code. Configured with a relative path, so that its folder
# can be moved.
unpack python3.13 CVE- "$OUT/src"
rm -rf "$OUT/src.debian" "$OUT/src/Lib/test"
mkdir "$OUT/build"
cd "$OUT/build"
CFLAGS='-O1 -g0' ../src/configure --disable-test-modules --without-ensurepip
make -j"$JOBS"
find . -name '*.o' -delete
./python -c 'import math, struct, binascii'
