# shellcheck shell=bash
# Messages, help and the build, shared by all commands. Progress goes to stderr, results to stdout.

bold='' plain='' live=false
if [[ -t 2 ]]; then
  live=true
  if [[ -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then bold=$'\033[1m' plain=$'\033[0m'; fi
fi

say() { printf '%sdev: %s%s\n' "$bold" "$*" "$plain" >&2; }

die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

# A wrong call: says what was wrong and where the help is.
usage_error() {
  printf 'dev %s: %s; ./dev %s --help shows how it is used.\n' "$command" "$*" "$command" >&2
  exit 2
}

# The value of an option: need_value --preset "${2-}".
need_value() { if [[ -z $2 ]]; then usage_error "$1 needs a value"; fi; }

# The comment at the top of a command's file is its help.
print_help() { sed -n -e '/^# shellcheck/d' -e '/^#/!q' -e 's/^# \{0,1\}//p' "$1"; }

commands() {
  local file
  for file in scripts/dev/*.sh; do basename "$file" .sh; done
}

# Number of letters to insert, delete or replace to turn $1 into $2.
edit_distance() {
  local a=$1 b=$2 i j cost best
  local -a row previous
  for ((j = 0; j <= ${#b}; j++)); do previous[j]=$j; done
  for ((i = 1; i <= ${#a}; i++)); do
    row=("$i")
    for ((j = 1; j <= ${#b}; j++)); do
      cost=1
      if [[ ${a:i-1:1} == "${b:j-1:1}" ]]; then cost=0; fi
      best=$((previous[j - 1] + cost))
      if ((previous[j] + 1 < best)); then best=$((previous[j] + 1)); fi
      if ((row[j - 1] + 1 < best)); then best=$((row[j - 1] + 1)); fi
      row[j]=$best
    done
    previous=("${row[@]}")
  done
  echo "${previous[${#b}]}"
}

nearest_command() {
  local name distance nearest=help smallest=1000
  for name in $(commands); do
    distance=$(edit_distance "${1:0:20}" "$name")
    if ((distance < smallest)); then
      smallest=$distance
      nearest=$name
    fi
  done
  echo "$nearest"
}

jobs_count() { echo "${SPLOT_JOBS:-$(nproc)}"; }

known_preset() {
  case $1 in
    dev | release | asan | tsan) ;;
    *) usage_error "unknown preset \"$1\" (dev, release, asan, tsan)" ;;
  esac
}

# configure PRESET [-DNAME=VALUE...]: runs CMake when something asks for it; only its warnings and errors are shown.
configure() {
  local preset=$1 stamp=build/$1/configured
  shift
  if [[ -f $stamp && $# -eq 0 && ! CMakePresets.json -nt $stamp ]]; then return; fi
  if [[ ! -f build/$preset/CMakeCache.txt && -z ${CMAKE_GENERATOR:-} ]] && command -v ninja >/dev/null; then
    export CMAKE_GENERATOR=Ninja
  fi
  say "configuring build/$preset"
  cmake --preset "$preset" "$@" >/dev/null ||
    die "CMake failed; the reason is above. ./dev deps installs what is missing."
  touch "$stamp"
}

# build PRESET [TARGET...]: all output to stderr, nothing when there was nothing to do.
build() {
  local preset=$1 target
  local -a targets=()
  shift
  for target in "$@"; do targets+=(--target "$target"); done
  cmake --build "build/$preset" --parallel "$(jobs_count)" "${targets[@]}" 2>&1 | show_build ||
    die "the build failed; the first error above is the one to look at."
}

# On a terminal the steps of a build overwrite one line; everything else is shown as it is.
show_build() {
  local line pending='' width=${COLUMNS:-80}
  while IFS= read -r line; do
    case $line in
      'ninja: no work to do.' | '-- '* | '['*'Re-checking globbed'*) continue ;;
      '['*/*']'* | '['*%']'*)
        if $live; then
          printf '\r\033[K%s' "${line:0:width-1}" >&2
          pending=true
          continue
        fi
        ;;
    esac
    if [[ -n $pending ]]; then
      printf '\n' >&2
      pending=''
    fi
    printf '%s\n' "$line" >&2
  done
  if [[ -n $pending ]]; then printf '\r\033[K' >&2; fi
}

# C++ sources, without what is generated.
cpp_files() {
  { find splot apps examples tests bench fuzz -type d -name node_modules -prune -o \
    -type f \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' \) -print 2>/dev/null || true; } | sort
}
