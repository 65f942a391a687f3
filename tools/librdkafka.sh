#!/usr/bin/env bash
# Builds a current librdkafka as a static library from Debian's own source package.
#
#   tools/librdkafka.sh PREFIX
#
# Debian 12 ships 2.0.2, whose idempotent producer and consumer have known faults
# (docs/decisions/0003-librdkafka.md).  The source comes from a newer Debian suite through a
# private apt state, so the machine's own package sources stay as they are; the archive's
# signature and the checksums below are both verified.  Does nothing when PREFIX is up to date.
set -euo pipefail

version=2.14.2-1
checksums='fafd510fdb29c4cf7732e115a416d93a5a3af4a1b3bd2b0c7731042d653d85ee  librdkafka_2.14.2-1.dsc
4d53568c13717b167d12c7b2a0fe12aeb5d6bfe02de53df5b68f86d870a81b33  librdkafka_2.14.2.orig.tar.gz
35fbeb684225057fb27f81919b64d5b9dcb1c34d4b003a8e35e6142fcd757672  librdkafka_2.14.2-1.debian.tar.xz'
suites=(forky sid)
options=(--enable-ssl --enable-zlib --enable-zstd --disable-lz4-ext --disable-gssapi --disable-curl
         --disable-debug-symbols
         # gcc 12's thread sanitizer does not know C11 threads, and crashes on the first one.
         --disable-c11threads)
libs_private='-lm -lzstd -lssl -lcrypto -lz -ldl -lpthread -lrt'
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { printf 'librdkafka: %s\n' "$*"; }
die() { printf 'librdkafka: error: %s\n' "$*" >&2; exit 1; }

[ $# -eq 1 ] || die "usage: $0 PREFIX"
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
recipe=$(printf '%s\n' "$version" "${options[@]}" "$libs_private" "$prefix" | sha256sum | cut -c1-16)
stamp=$prefix/.recipe
if [ "$(cat "$stamp" 2>/dev/null)" = "$recipe" ]; then exit 0; fi

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
[ -n "$mirror" ] || die "no Debian mirror in this machine's apt sources"
work=$prefix/work
rm -rf "$work"
mkdir -p "$work"/{lists/partial,cache/archives/partial,src}
trap 'rm -rf "$work"' EXIT

apt_private=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=-
             -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache"
             -o Acquire::Languages=none -o Acquire::Retries=3
             -o "APT::Sandbox::User=$(id -un)" -o APT::Get::AllowUnauthenticated=false
             # A mirror that stands still past Valid-Until is fine: the files are pinned.
             -o Acquire::Check-Valid-Until=false -o Acquire::Check-Date=false)
fetched=
for suite in "${suites[@]}"; do
    say "asking Debian $suite for the source of $version"
    echo "deb-src [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
    apt-get "${apt_private[@]}" update -qq --error-on=any || continue
    (cd "$work/src" && apt-get "${apt_private[@]}" source -qq --download-only --only-source \
        "librdkafka=$version" >/dev/null 2>&1) && { fetched=yes; break; }
done
[ -n "$fetched" ] || die "no Debian suite of (${suites[*]}) offers librdkafka $version"
(cd "$work/src" && sha256sum --quiet --strict -c <<<"$checksums") || die "a checksum differs from its pin"

# Upstream's pristine tree: Debian's patches swap vendored parts for packages of the newer suite.
# Its note about the maintainer's key is expected: the archive's signature and the pins have spoken.
dpkg-source --no-copy --skip-patches -x "$work/src/librdkafka_$version.dsc" "$work/tree" >/dev/null 2>&1 ||
    die "dpkg-source could not unpack the source"
cd "$work/tree"
say "building $version (about a minute and a half)"
log=$prefix/build.log
{ ./configure --prefix="$prefix" --no-download "${options[@]}" && make -j"$(nproc)" -C src librdkafka.a; } \
    >"$log" 2>&1 || { tail -30 "$log" >&2; die "the build failed; the whole log is $log"; }
for feature in WITH_SSL WITH_ZLIB WITH_ZSTD WITH_SASL_SCRAM WITH_SASL_OAUTHBEARER; do
    grep -qE "^#define $feature 1" config.h || die "configure left out $feature"
done
install -d "$prefix/include/librdkafka" "$prefix/lib/pkgconfig" "$prefix/share/doc/librdkafka"
install -m 0644 src/rdkafka.h src/rdkafka_mock.h "$prefix/include/librdkafka/"
install -m 0644 src/librdkafka.a "$prefix/lib/"
install -m 0644 LICENSES.txt "$prefix/share/doc/librdkafka/"
cat >"$prefix/lib/pkgconfig/rdkafka-static.pc" <<PC
prefix=$prefix
Name: librdkafka-static
Description: The Apache Kafka C library, static, from Debian source $version
Version: ${version%-*}
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib -lrdkafka $libs_private
PC
echo "$recipe" >"$stamp"
say "$version is in $prefix"
