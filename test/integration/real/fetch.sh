#!/usr/bin/env bash
# Puts a small riscv64 system of Debian's packages into a folder (default test/.cache/riscv64), for the tests of real programs. Uses this
# machine's own Debian mirror and keys, in lists of its own; needs apt and dpkg. Exits with 1 and a reason when it can't.
set -euo pipefail
out=${1:-$(dirname "$0")/../../.cache/riscv64}
[ -e "$out/complete" ] && exit 0
suite=${PROGRAMS_SUITE:-trixie}
packages="base-files libc6 libgcc-s1 libstdc++6 libcrypt1 libtinfo6 libreadline8t64 libacl1 libattr1 libcap2 libselinux1 libpcre2-8-0
libgmp10 libmpfr6 libsigsegv2 libssl3t64 libsqlite3-0 zlib1g libexpat1 liblua5.4-0 dash bash busybox-static coreutils diffutils findutils
grep sed gawk gzip tar lua5.4 sqlite3 perl-base libpython3.13-minimal libpython3.13-stdlib python3.13-minimal musl"
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "real programs: there is no apt-get here" >&2; exit 1; }
site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)
key=/usr/share/keyrings/debian-archive-keyring.gpg
[ -n "$site" ] && [ -e "$key" ] || { echo "real programs: no Debian mirror is configured here" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs" "$work/status.d"
: >"$work/status"
echo "deb [arch=riscv64 signed-by=$key] $site $suite main" >"$work/sources.list"
apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$work/lists" \
    -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" -o APT::Architecture=riscv64 -o APT::Architectures=riscv64 \
    -o APT::Sandbox::User=root "$@"
}
apt update
(cd "$work/debs" && apt download $packages)
rm -rf "$out"
mkdir -p "$out"/usr/{bin,sbin,lib} "$out"/{dev,etc,mnt,proc,root,tmp}
for link in bin sbin lib; do ln -s "usr/$link" "$out/$link"; done
for deb in "$work"/debs/*.deb; do
  # Packages of before the merge of /usr have files in /lib: they go through the links.
  dpkg-deb --fsys-tarfile "$deb" | tar -xf - -C "$out" --keep-directory-symlink --no-same-owner
done
ln -sf dash "$out/usr/bin/sh"
rm -rf "$out"/usr/share/{doc,man,locale,info,bug,lintian}
: >"$out/complete"
