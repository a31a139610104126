# shellcheck shell=bash
# give damaged files to every reader, for as long as you like
#
#   ./dev fuzz                        every target for a minute
#   ./dev fuzz npz png --seconds 600  these two for ten minutes each
#   ./dev fuzz --list                 the targets
#
# libFuzzer looks for files that make a reader crash, read outside its memory, ask for more than 256 MiB at once, take
# more than ten seconds or answer wrongly. Nothing found: status 0. What is found is kept in build/fuzz/findings, and
# build/fuzz/bin/fuzz_TARGET FILE tries it again. What was learnt about a target stays in build/fuzz/corpus.

source scripts/dev/lib/packages.sh
targets=() seconds=60
known=(idx idx_gz safetensors checkpoint npy npz png jpeg tar cifar recipe model)
while [[ $# -gt 0 ]]; do
  case $1 in
    --yes) assume_yes=true ;;
    --list)
      printf '%s\n' "${known[@]}"
      exit 0
      ;;
    --seconds)
      need_value "$1" "${2-}"
      [[ $2 =~ ^[1-9][0-9]*$ ]] || usage_error "--seconds needs a whole number, not $2"
      seconds=$2
      shift
      ;;
    -*) usage_error "unknown option $1" ;;
    *)
      [[ " ${known[*]} " == *" $1 "* ]] || usage_error "there is no target $1 (${known[*]})"
      targets+=("$1")
      ;;
  esac
  shift
done
if [[ ${#targets[@]} -eq 0 ]]; then targets=("${known[@]}"); fi
need build fuzz
configure fuzz
build fuzz make_seeds "${targets[@]/#/fuzz_}"

seeds=build/fuzz/seeds
rm -rf "$seeds"
mkdir -p "$seeds"/{safetensors,npy,npz,recipe,model} build/fuzz/findings
build/fuzz/bin/make_seeds "$seeds"
cp tests/golden/*.safetensors "$seeds/safetensors"
cp tests/golden/npy/*.npy "$seeds/npy"
cp tests/golden/npy/*.npz "$seeds/npz"
cp recipes/*.toml "$seeds/recipe"
cp fuzz/models/*.json "$seeds/model"

failed=()
for target in "${targets[@]}"; do
  corpus=build/fuzz/corpus/$target log=build/fuzz/$target.log
  mkdir -p "$corpus"
  say "$target, $seconds s; the log is in $log"
  if build/fuzz/bin/fuzz_"$target" -max_total_time="$seconds" -timeout=10 -malloc_limit_mb=256 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/findings/$target-" "$corpus" "$seeds/$target" >"$log" 2>&1; then
    printf '%-12s %12s runs, nothing found\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  else
    printf '%-12s FAILED: %s\n' "$target" "$(grep -m 1 -E 'SUMMARY|ERROR|fuzz:' "$log" || tail -n 1 "$log")"
    failed+=("$target")
  fi
done
if [[ ${#failed[@]} -gt 0 ]]; then die "found something in: ${failed[*]}; the files are in build/fuzz/findings"; fi
