#!/usr/bin/env bash
# Makes a release in .build/package: the program without symbols, its symbols apart, content, units, licences of what it is built of,
# a bill of materials, and the sums of all files. The same commit and the same toolchain give the same versions.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 Packaging/sbom.py --check

swift build --only-use-versions-from-resolved-file -c release --product vestige --static-swift-stdlib \
    -Xswiftc -no-toolchain-stdlib-rpath
built=$(swift build -c release --show-bin-path)/vestige
version=$("$built" --version)
name=vestige-$version-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)
out=.build/package
rm -rf "$out"
home=$out/$name
mkdir -p "$home"/{bin,share/vestige,share/doc/vestige/licences,lib/systemd/system}

if [ "$(uname)" = Linux ]; then
    objcopy --only-keep-debug "$built" "$out/$name.debug"
    objcopy --strip-all --add-gnu-debuglink="$out/$name.debug" "$built" "$home/bin/vestige"
    # All relocations are done at the start, and what they wrote cannot be written again.
    readelf -d "$home/bin/vestige" | grep -q BIND_NOW
    readelf -lW "$home/bin/vestige" | grep -q GNU_RELRO
    if readelf -d "$home/bin/vestige" | grep -qE 'R(UN)?PATH'; then
        echo "the program looks for libraries beside a toolchain" >&2
        exit 1
    fi
else
    cp "$built" "$home/bin/vestige"
    strip "$home/bin/vestige"
fi
cp -R Content "$home/share/vestige/"
cp LICENSE NOTICE SECURITY.md CHANGELOG.md docs/*.md "$home/share/doc/vestige/"
cp Packaging/*.service "$home/lib/systemd/system/"
for folder in .build/checkouts/*/; do
    package=$(basename "$folder" | tr '[:upper:]' '[:lower:]')
    # A package of another time may lie there still.
    grep -q "\"identity\" : \"$package\"" Package.resolved || continue
    find "$folder" -maxdepth 1 \( -iname 'licen*' -o -iname 'notice*' \) | sort | xargs cat > "$home/share/doc/vestige/licences/$package"
done
python3 Packaging/sbom.py > "$home/share/doc/vestige/vestige.cdx.json"
tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" -czf "$out/$name.tar.gz" "$name"
(cd "$out" && sha256sum "$name.tar.gz" $(ls "$name.debug" 2>/dev/null || true) > SHA256SUMS)
ls -l "$out"
