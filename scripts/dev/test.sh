# shellcheck shell=bash
# build the tests and the examples and run them
#
#   ./dev test                          all but the slow ones, with assertions on
#   ./dev test --all                    the slow ones too
#   ./dev test --label smoke            one label: smoke, unit, examples, slow
#   ./dev test --filter 'Ops.Soft*'     only the GoogleTest cases of this name
#   ./dev test --preset asan            asan, tsan: under the sanitizers; release: as it is installed
#
# The last line says how many passed, failed and were skipped; the names of the latter two stand above it.

source scripts/dev/lib/packages.sh
preset=dev
filter=
selection=(--label-exclude '^slow$')
while [[ $# -gt 0 ]]; do
  case $1 in
    --yes) assume_yes=true ;;
    --all) selection=() ;;
    --preset | --label | --filter)
      need_value "$1" "${2-}"
      case $1 in
        --preset) preset=$2 ;;
        --label) selection=(--label-regex "^$2\$") ;;
        --filter) filter=$2 ;;
      esac
      shift
      ;;
    *) usage_error "unknown argument $1" ;;
  esac
  shift
done
known_preset "$preset"

need build test
if [[ $preset == release ]]; then
  configure release -DSPLOT_BUILD_TESTS=ON -DSPLOT_BUILD_EXAMPLES=ON
else
  configure "$preset"
fi
say "building (preset $preset)"
build "$preset"

wrapper=()
if [[ -n $filter ]]; then
  export GTEST_FILTER=$filter
  if [[ ${#selection[@]} -gt 0 && ${selection[0]} == --label-exclude ]]; then
    selection=(--tests-regex '_tests/') # the cases are in the test programs, not in examples or scripts
  fi
fi
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
# Some kernels place memory where the thread sanitizer cannot follow unless addresses are fixed.
if [[ $preset == tsan ]] && setarch -R true 2>/dev/null; then wrapper=(setarch -R); fi

say "running the tests"
log=build/$preset/Testing/Temporary/LastTest.log
rm -f "$log"
begin=$SECONDS status=0
# The lines of cases that pass are left in the log; what fails is shown in full.
"${wrapper[@]}" ctest --test-dir "build/$preset" --output-on-failure --parallel "$(jobs_count)" --no-tests=error \
  "${selection[@]}" 2>&1 | grep -v -E '^ +Start +[0-9]+:|^\[( RUN  |  +OK |-+)|^Internal ctest|^$' >&2 || status=$?
if [[ ! -f $log ]]; then die "no test was run."; fi

# From the log of GoogleTest's own summaries; a program without them (an example, a script) counts as one.
awk -v status="$status" -v seconds=$((SECONDS - begin)) -v preset="$preset" '
  /^\[  PASSED  \] [0-9]+ test/ { passed += $4; cases += 1 }
  /^\[  SKIPPED \] [^ ]+\.[^ ]+( \([0-9]+ ms\))?$/ { name[$4] = "skipped" }
  /^\[  FAILED  \] [^ ]+\.[^ ]+,? ?/ { sub(/,$/, "", $4); name[$4] = "failed" }
  /^Test (Passed|Failed)\.|^Test timed out|\*\*\*/ { programs += 1 }
  END {
    for (n in name) { printf "%s: %s\n", name[n], n; count[name[n]] += 1 }
    printf "test: %s - %d cases passed, %d failed, %d skipped; %d ctest entries, preset %s, %d s\n", \
      status == 0 ? "passed" : "FAILED", passed, count["failed"], count["skipped"], programs, preset, seconds
  }' "$log"
exit "$status"
