# shellcheck shell=bash
# compile the library and the command
#
#   ./dev build                              release: library and command, in build/release
#   ./dev build --preset dev                 with assertions, tests and examples, in build/dev
#   ./dev build --preset asan core_tests     one target
#   ./dev build -DSPLOT_BUILD_BENCH=ON       passed on to CMake, which remembers it
#
# Presets: dev, release, asan (address and undefined behaviour), tsan (threads).

source scripts/dev/lib/packages.sh
preset=release
targets=() definitions=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --yes) assume_yes=true ;;
    --preset)
      need_value "$1" "${2-}"
      preset=$2
      shift
      ;;
    -D?*) definitions+=("$1") ;;
    -*) usage_error "unknown option $1" ;;
    *) targets+=("$1") ;;
  esac
  shift
done
known_preset "$preset"
need build
if [[ $preset != release ]]; then need test; fi
configure "$preset" "${definitions[@]}"
build "$preset" "${targets[@]}"
say "built: build/$preset"
