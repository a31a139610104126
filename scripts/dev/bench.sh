# shellcheck shell=bash
# measure Splot beside other libraries on this machine
#
#   ./dev bench --peers                 the workloads of bench/peers side by side with PyTorch; steps are plans
#   ./dev bench --peers --eager         the same with Splot's training steps made call by call
#   ./dev bench --peers --json          the same as one JSON array on stdout
#   ./dev bench --conv                  convolutions beside oneDNN
#   ./dev bench --trainer               what the Trainer costs over steps written by hand
#
# Installs PyTorch, oneDNN and OpenBLAS when they are missing; everything else is done by
# scripts/bench, which gets all arguments.

source scripts/dev/lib/packages.sh
if [[ ! -x scripts/bench ]]; then die "there is no scripts/bench, so there is nothing to measure."; fi
if [[ ${1:-} == --yes ]]; then
  assume_yes=true
  shift
fi
need build bench
exec scripts/bench "$@"
