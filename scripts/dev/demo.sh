# shellcheck shell=bash
# from a fresh machine to a network that has learned handwritten digits and reads one from a picture
#
#   ./dev demo
#   ./dev --yes demo              installs missing packages without asking
#
# Installs what is missing, builds the library and the command, trains on MNIST, evaluates, and predicts the digit
# in examples/pictures/seven.png. The run is kept in runs/demo. Without MNIST (in $SPLOT_DATA/mnist or the user's
# cache) it learns the digits that Splot draws itself, and says so.

source scripts/dev/lib/packages.sh
source scripts/dev/lib/command.sh
for word in "$@"; do
  case $word in
    --yes) assume_yes=true ;;
    *) usage_error "unknown argument $word" ;;
  esac
done

# step TEXT: says what begins now and, before it, how long the last one took.
step() {
  if [[ -n ${step_begin:-} ]]; then say "that took $((SECONDS - step_begin)) s"; fi
  step_begin=$SECONDS
  if [[ $# -gt 0 ]]; then say "$*"; fi
}

mnist_is_here() {
  local folder
  for folder in "${SPLOT_DATA:-}" "${XDG_CACHE_HOME:-$HOME/.cache}/splot"; do
    if [[ -z $folder ]]; then continue; fi
    if [[ -f $folder/mnist/train-images-idx3-ubyte.gz || -f $folder/mnist/train-images-idx3-ubyte ]]; then return 0; fi
  done
  return 1
}

show() {
  printf '%s$ splot %s%s\n' "$bold" "$*" "$plain" >&2
  "$splot" "$@" || die "splot $1 failed"
}

run=runs/demo
picture=examples/pictures/seven.png

step "1 of 4: packages"
need build
step "2 of 4: building the library and the command"
build_command
if mnist_is_here; then
  recipe=mnist
else
  recipe=digits
  echo "There is no MNIST here, so this demo learns the digits that Splot draws itself. The figures are not MNIST's."
fi
step "3 of 4: learning ($recipe)"
rm -rf "$run"
show train "$recipe" -o "$run"
step "4 of 4: using what was learned"
show eval "$run/model.safetensors"
show predict "$run/model.safetensors" "$picture"
step
say "the run is in $run; ./dev run --help shows what else the command can do"
