# shellcheck shell=bash
# The splot command in its release build.

splot=$root/build/release/bin/splot

build_command() {
  need build
  if ! compgen -G 'apps/cli/*.cpp' >/dev/null; then die "apps/cli holds no sources, so there is no command to build."; fi
  configure release
  build release splot_cli
}
