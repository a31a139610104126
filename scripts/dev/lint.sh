# shellcheck shell=bash
# every check that needs no test: format, includes, file sizes, shell scripts, clang-tidy
#
#   ./dev lint               clang-tidy looks at the .cpp files that differ from the main branch
#   ./dev lint --all         at all of them (minutes)
#   ./dev lint --quick       at none

source scripts/dev/lib/packages.sh
tidy=changed
for word in "$@"; do
  case $word in
    --yes) assume_yes=true ;;
    --all) tidy=all ;;
    --quick) tidy=none ;;
    *) usage_error "unknown argument $word" ;;
  esac
done
need format lint
if [[ $tidy != none ]]; then need build test tidy; fi

failed=()
check() {
  local name=$1
  shift
  if "$@" >&2; then say "lint: $name ok"; else failed+=("$name"); fi
}

# The files to look at: those that differ from where this branch left main, and those not committed yet.
changed_files() {
  local base
  if ! command -v git >/dev/null || ! git rev-parse --verify -q HEAD >/dev/null 2>&1; then
    cpp_files
    return
  fi
  base=$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null || echo HEAD)
  { git diff --name-only --diff-filter=d "$base" && git ls-files --others --exclude-standard; } | sort -u
}

run_tidy() {
  local -a files
  configure dev
  if [[ $tidy == all ]]; then
    mapfile -t files < <(cpp_files)
  else
    mapfile -t files < <(changed_files)
  fi
  # Only what the dev build compiles: clang-tidy needs its command line.
  mapfile -t files < <(printf '%s\n' "${files[@]}" | grep -E '\.cpp$' | while IFS= read -r file; do
    if grep -q -F "\"$root/$file\"" build/dev/compile_commands.json; then echo "$file"; fi
  done)
  if [[ ${#files[@]} -eq 0 ]]; then return 0; fi
  say "lint: clang-tidy on ${#files[@]} files"
  printf '%s\n' "${files[@]}" | xargs -n 1 -P "$(jobs_count)" clang-tidy -p build/dev --quiet 2>/dev/null
}

check format ./dev fmt --check
check includes scripts/check_includes
check sizes scripts/check_sizes
check threads scripts/check_threads
if command -v shellcheck >/dev/null; then
  mapfile -t shell_scripts < <(grep -rlE '^#!.*\bbash|^# shellcheck shell=bash' dev scripts .ci tests | sort)
  check shellcheck shellcheck -x "${shell_scripts[@]}"
fi
if [[ $tidy != none ]]; then check clang-tidy run_tidy; fi
if [[ ${#failed[@]} -gt 0 ]]; then die "lint: failed: ${failed[*]}"; fi
echo "lint: passed"
