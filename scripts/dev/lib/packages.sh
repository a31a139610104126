# shellcheck shell=bash
# Installing packages: says what, asks before sudo, and only what is missing. Why each is needed stands in
# docs/dependencies.md. "package=command" is satisfied by the command, wherever it comes from.

packages_of() {
  case $1 in
    build)
      echo g++=c++ cmake=cmake ninja-build=ninja pkg-config=pkg-config libhwy-dev libfmt-dev nlohmann-json3-dev \
        libtomlplusplus-dev libcli11-dev libpng-dev libjpeg-dev zlib1g-dev libcurl4-openssl-dev libzip-dev
      ;;
    test) echo libgtest-dev libeigen3-dev ;;
    bench) echo libdnnl-dev libopenblas-dev libopenblas0-openmp python3-torch python3-numpy ;;
    fuzz) echo clang=clang++ ;;
    export) echo gcc=gcc clang=clang valgrind=valgrind ;;
    format) echo clang-format=clang-format ;;
    lint) echo shellcheck=shellcheck ;;
    tidy) echo clang-tidy=clang-tidy ;;
    docs) echo doxygen=doxygen ;;
    *) usage_error "unknown group \"$1\" (build, test, bench, fuzz, export, format, lint, tidy, docs)" ;;
  esac
}

# need GROUP...: afterwards the packages of these groups are installed, or the script has ended with a reason.
need() {
  local group entry package tool
  local -a missing=()
  for group in "$@"; do
    for entry in $(packages_of "$group"); do
      package=${entry%%=*} tool=${entry#*=}
      if [[ $tool != "$entry" ]]; then
        if command -v "$tool" >/dev/null; then continue; fi
        if [[ $package == g++ && -n ${CXX:-} ]] && command -v "${CXX%% *}" >/dev/null; then continue; fi
      elif package_installed "$package"; then
        continue
      fi
      missing+=("$package")
    done
  done
  if [[ ${#missing[@]} -gt 0 ]]; then install_packages "${missing[@]}"; fi
}

package_installed() {
  command -v dpkg-query >/dev/null &&
    [[ $(dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | head -n 1) == installed ]]
}

install_packages() {
  if ! command -v apt-get >/dev/null; then
    no_apt "$@"
    return
  fi
  local -a as_root=()
  say "these packages are missing and will be installed with apt-get: $*"
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || die "neither root nor sudo here; as root run: apt-get install $*"
    confirm "Run apt-get with sudo?" || die "nothing installed; by hand: sudo apt-get install $*"
    as_root=(sudo)
  fi
  if ! ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1 || ! apt_install --dry-run "$@" >/dev/null 2>&1; then
    apt_get update || die "apt-get update failed; is there a network?"
  fi
  # Package lists may be older than the mirror: one more try with fresh ones.
  apt_install "$@" || { apt_get update && apt_install "$@"; } || die "apt-get could not install: $*"
}

apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@" >&2
}

apt_install() { apt_get install --yes --no-install-recommends "$@"; }

# Elsewhere the user installs the same things under other names; libraries are then found, or not, by CMake.
no_apt() {
  say "there is no apt-get here; install what these Debian packages contain: $*"
  local tool
  for tool in cmake pkg-config; do
    command -v "$tool" >/dev/null || die "$tool is missing"
  done
}

# confirm QUESTION: yes without asking after --yes or in CI; an error when nobody can answer.
confirm() {
  local answer
  if $assume_yes; then return 0; fi
  if [[ ! -t 0 ]]; then die "would ask \"$1\", but there is no terminal: run ./dev --yes $command, or set CI=true."; fi
  read -r -p "dev: $1 [Y/n] " answer || return 1
  [[ -z $answer || $answer == [Yy]* ]]
}
