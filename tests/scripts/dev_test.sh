#!/usr/bin/env bash
# How ./dev answers: dev_test.sh PROJECT_FOLDER
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect STATUS STREAM PATTERN ARGS...: runs ./dev ARGS with no terminal and an almost empty environment.
expect() {
  local status=$1 stream=$2 pattern=$3 got=0
  shift 3
  env -i PATH="$path" "${extra[@]}" ./dev "$@" >"$work/out" 2>"$work/err" <&- || got=$?
  if [[ $got -ne $status ]]; then
    printf 'dev %s: exit status %d, expected %d\n' "$*" "$got" "$status"
    cat "$work/err"
    failures=$((failures + 1))
  elif ! grep -q -E -e "$pattern" "$work/$stream"; then
    printf 'dev %s: "%s" is not in std%s:\n' "$*" "$pattern" "$stream"
    cat "$work/$stream"
    failures=$((failures + 1))
  fi
}

extra=()
path=$PATH
cd "$1"
expect 0 out '^  demo +from a fresh machine' help
expect 0 out '^  test +' --help
expect 0 out '^usage: ./dev' # no command at all
expect 2 err 'unknown command "dmeo"; did you mean "demo"' dmeo
expect 2 err 'did you mean "test"' tests
expect 2 err 'unknown command "../dev"' ../dev
expect 2 err 'unknown preset "fast"' build --preset fast
expect 2 err '--preset needs a value' test --preset
expect 2 err 'unknown argument' test everything
expect 2 err 'unknown group "gpu"' deps gpu
expect 2 err '--prefix FOLDER is missing' install
expect 0 out '^libhwy-dev$' deps --list build
for file in scripts/dev/*.sh; do
  name=$(basename "$file" .sh)
  if [[ $name == run ]]; then continue; fi # its options are the command's
  expect 0 out "^  ./dev (--yes )?$name" "$name" --help
done

# A machine where every package is missing and nobody is at the terminal. Nothing is installed: sudo and apt-get only
# say that they were called.
mkdir "$work/bin"
for tool in bash dirname basename env sed ls head nproc cat grep; do ln -s "$(command -v "$tool")" "$work/bin/"; done
fake() {
  printf '#!/bin/bash\n%s\n' "$2" >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}
fake id 'echo 1000'
fake dpkg-query 'exit 1'
fake apt-get 'echo "apt-get: $*"'
fake sudo 'echo "sudo: $*"; exec "$@"'
path=$work/bin
expect 1 err 'missing and will be installed.* g\+\+ cmake .*libhwy-dev' deps build
expect 1 err 'there is no terminal: run ./dev --yes deps' deps build
expect 0 err '^sudo: .*apt-get .*install .*--no-install-recommends .*libhwy-dev' --yes deps build
expect 0 err '^apt-get: .*install .*libgtest-dev' deps test --yes
extra=(CI=true)
expect 0 err '^sudo: ' deps build
extra=()
fake id 'echo 0'
expect 0 err '^apt-get: .*install .*g\+\+' deps build
if grep -q '^sudo:' "$work/err"; then
  echo "root used sudo"
  failures=$((failures + 1))
fi
fake id 'echo 1000'
rm "$work/bin/sudo"
expect 1 err 'neither root nor sudo here; as root run: apt-get install .*libhwy-dev' deps build
rm "$work/bin/apt-get"
expect 1 err 'no apt-get here; install what these Debian packages contain: .*libhwy-dev' deps build

exit $((failures > 0))
