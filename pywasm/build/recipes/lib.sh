# Put before every recipe. A recipe runs under "sh -eu" in an empty folder,
# $WORK, and leaves what it makes in $OUT. It knows the folders of the steps
# it needs as $NEED_<step>. $JOBS is how many processes make may start.

# Target features: what LLVM and wazero both have, and nothing more.
FEATURES='-mbulk-memory -mnontrapping-fptoint -msign-ext'
EMULATED='-D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_GETPID -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_MMAN'
LIBFLAGS="-O2 -g0 $FEATURES"

# unpack SOURCE PATTERN DIR: the upstream tree, with those patches of Debian's
# series whose names match the pattern. A patch that does not apply fails.
unpack() {
    mkdir -p "$3" "$3.debian"
    tar -xf "$NEED_fetch/$1"/*.orig.tar.?z -C "$3" --strip-components=1 --no-same-owner
    tar -xf "$NEED_fetch/$1"/*.debian.tar.* -C "$3.debian" --no-same-owner
    patches=$3.debian/debian/patches
    [ -f "$patches/series" ] || return 0
    grep -v '^#' "$patches/series" | grep -E "$2" | while read -r name _; do
        echo "patch $name"
        patch -d "$3" -p1 -s -N -f <"$patches/$name"
    done
}

# target: from here on the tools make code for the guest.
target() {
    export CC="$NEED_sysroot/bin/wasm-clang" AR=llvm-ar-22 RANLIB=llvm-ranlib-22
    export WASGI_WORK="$WORK"
}
