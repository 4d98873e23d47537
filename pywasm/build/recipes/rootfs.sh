# The guest's root folder. The byte code is never checked against its source:
# nothing below /usr can change.
root=$OUT/root
lib=$root/usr/lib/python3.13
mkdir -p "$lib/site-packages" "$root/usr/share" "$root/app" "$root/data" "$root/tmp" "$root/dev" "$root/etc"
cp -r "$NEED_cross/python3.13/." "$lib"
# What sys.executable names must be there: platform.libc_ver() reads it.
mkdir "$root/usr/bin"
echo 'The host runs this Python; it has no program of its own.' >"$root/usr/bin/python3.13"
for source in "$GUEST"/*.py; do
    [ ! -f "$source" ] || cp "$source" "$lib"
done
mkdir tz
for package in "$NEED_fetch"/tzdata/*.deb "$NEED_fetch"/tzdata-legacy/*.deb; do
    dpkg -x "$package" tz
done
cp -rL tz/usr/share/zoneinfo "$root/usr/share"
rm -rf "$root/usr/share/zoneinfo/posix" "$root/usr/share/zoneinfo/right"
PYTHONHASHSEED=0 "$NEED_native/build/python" -E -S -m compileall -q -j"$JOBS" \
    --invalidation-mode unchecked-hash -s "$root" -p / "$lib"
