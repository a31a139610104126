# shellcheck shell=bash
# install the release build: library, headers, command, CMake package, pkg-config file
#
#   ./dev install --prefix ~/.local
#   ./dev install --prefix /opt/splot
#
# A program then does find_package(splot CONFIG REQUIRED) and links splot::splot, or asks pkg-config for splot.

source scripts/dev/lib/packages.sh
prefix=
while [[ $# -gt 0 ]]; do
  case $1 in
    --yes) assume_yes=true ;;
    --prefix)
      need_value "$1" "${2-}"
      prefix=$2
      shift
      ;;
    *) usage_error "unknown argument $1" ;;
  esac
  shift
done
if [[ -z $prefix ]]; then usage_error "--prefix FOLDER is missing"; fi
if [[ $prefix != /* ]]; then prefix=$called_from/$prefix; fi
need build
configure release
build release
cmake --install build/release --prefix "$prefix" >&2 || die "installing to $prefix failed"
say "installed to $prefix"
