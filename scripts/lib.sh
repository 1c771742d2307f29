# What the scripts of this folder share. Sourced with the root of the tree in $root.
set -euo pipefail

jobs=$(nproc)
# What one build folder compiled serves the others, and other clones on this machine.
export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=$root

# build PRESET [TARGET...]: configures when needed, builds, and shows only what matters.
build() {
  local preset=$1
  shift
  local log=$root/build/$preset.log
  mkdir -p "$root/build"
  echo "build: $preset (the whole output is in build/$preset.log)"
  if ! { cmake --preset "$preset" -S "$root" && cmake --build "$root/build/$preset" -j "$jobs" ${1:+--target "$@"}; } >"$log" 2>&1; then
    grep -E 'error|Error|FAILED' "$log" | head -40 >&2
    echo "build: failed, see $log" >&2
    return 1
  fi
}

# seconds_since START: with one digit behind the point; START is $(date +%s%N).
seconds_since() {
  awk -v a="$1" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }'
}
