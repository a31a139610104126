#!/usr/bin/env bash
# Installs the build in SPLOT_BUILD_DIR, moves the result elsewhere (nothing in it may know where it was installed), and
# builds the program in consumer/ against it: once with find_package, once with pkg-config.
#
#   run.sh           the program
#   run.sh --each    instead, every installed header by itself
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  printf 'install test: %s\n' "$*" >&2
  exit 1
}

cmake --install "$SPLOT_BUILD_DIR" --prefix "$work/first" >"$work/install.log" || fail "cmake --install failed"
mv "$work/first" "$work/prefix"

# What must not be there: private headers, or a path into the source or build tree.
private=$(find "$work/prefix" -path '*/internal/*.h' -o -name '*-inl.h')
[[ -z $private ]] || fail "private headers are installed: $private"
leaked=$(grep -rlF -e "$SPLOT_BUILD_DIR" -e "$(cd "$here/../.." && pwd)" "$work/prefix" --include='*.cmake' --include='*.pc' \
  --include='*.h' || true)
[[ -z $leaked ]] || fail "these installed files name the source or build folder: $leaked"

# Installed headers need nothing that is not installed, and guard themselves against a second inclusion. With --each,
# every one of them compiles by itself.
compile_headers() {
  # shellcheck disable=SC2086  # a list of flags
  printf '#include "%s"\n' "$@" "$@" |
    "$CXX" -std=c++20 ${CXXFLAGS-} -I"$work/prefix/include" -fsyntax-only -x c++ - || exit 255
}
export work
export -f compile_headers
(cd "$work/prefix/include" && find splot -name '*.h' | sort) >"$work/headers"
if [[ ${1-} == --each ]]; then
  xargs -P "$(nproc)" -n 1 bash -c 'compile_headers "$@"' bash <"$work/headers" ||
    fail "an installed header does not compile by itself"
  exit 0
fi
mapfile -t headers <"$work/headers"
(compile_headers "${headers[@]}") || fail "the installed headers do not compile"

cp -r "$here/consumer" "$work/consumer"
cmake -S "$work/consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DSPLOT_EXPECTED="$SPLOT_VERSION" \
  >"$work/configure.log" || fail "find_package(splot) failed"
cmake --build "$work/build" >"$work/build.log" 2>&1 || {
  cat "$work/build.log"
  fail "the program does not build"
}
"$work/build/consumer" || fail "the program built with find_package failed"

pc=$(dirname "$(find "$work/prefix" -name splot.pc)")
export PKG_CONFIG_PATH=$pc
[[ $(pkg-config --modversion splot) == "$SPLOT_VERSION" ]] || fail "splot.pc states another version"
libdir=$(pkg-config --variable=libdir splot)
# shellcheck disable=SC2046,SC2086  # lists of flags
"$CXX" -std=c++20 ${CXXFLAGS-} "$work/consumer/main.cpp" -o "$work/by_pkg_config" $(pkg-config --cflags --libs splot) ||
  fail "the program does not build with pkg-config's flags"
LD_LIBRARY_PATH=$libdir "$work/by_pkg_config" >/dev/null || fail "the program built with pkg-config failed"

# The command finds the library where it was installed with it. The loader learns where that is from /proc, which a bare
# chroot lacks; there only LD_LIBRARY_PATH can help.
if [[ -x $work/prefix/bin/splot ]]; then
  if [[ ! -e /proc/self/exe ]]; then export LD_LIBRARY_PATH=$libdir; fi
  "$work/prefix/bin/splot" --version >/dev/null || fail "the installed command does not start"
  for said in man/man1/splot.1 man/man1/splot-train.1 bash-completion/completions/splot zsh/site-functions/_splot; do
    [[ -s $work/prefix/share/$said ]] || fail "share/$said is not installed"
  done
fi

# The library stays small.
library=$libdir/libsplot.so
if [[ ${CXXFLAGS-} != *sanitize* ]]; then
  strip -o "$work/stripped.so" "$library"
  bytes=$(wc -c <"$work/stripped.so")
  echo "libsplot.so: $bytes bytes stripped"
  ((bytes < 8 * 1000 * 1000)) || fail "the stripped library has $bytes bytes, 8,000,000 are allowed"
fi
