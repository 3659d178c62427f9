#!/usr/bin/env bash
# Runs fuzz targets with libFuzzer, one after the other. Needs a nightly compiler and cargo-fuzz
# (cargo install --locked cargo-fuzz).
#
#   tests/fuzz/run.sh SECONDS [TARGET...]     all targets if none is named
#
#   MOLARENA_FUZZ   folder of what is built and found: corpus/TARGET and crashes/TARGET (target/fuzz)
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:?"how many seconds for each target?"}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=($(basename -s .rs cargo-fuzz/fuzz_targets/*.rs))
work=$(realpath -m "${MOLARENA_FUZZ:-../../target/fuzz}")
export CARGO_TARGET_DIR="$work/build"
# Targets write small files all the time.
[ ! -d /dev/shm ] || { TMPDIR=$(mktemp -d /dev/shm/molarena-fuzz-XXXXXX); export TMPDIR; trap 'rm -rf "$TMPDIR"' EXIT; }

failed=()
for target in "${targets[@]}"; do
    mkdir -p "$work/corpus/$target" "$work/crashes/$target" "crashes/$target"
    case $target in
        suite) more=(../../leaderboards/suites) ;;
        method) more=(../../leaderboards/methods) ;;
        manifest) more=(../../datasets) ;;
        *) more=() ;;
    esac
    echo "== $target"
    # Without the address sanitizer: the readers are safe Rust, and twice as many inputs are read.
    cargo +nightly fuzz run --sanitizer none --fuzz-dir cargo-fuzz "$target" \
        "$work/corpus/$target" "seeds/$target" "crashes/$target" "${more[@]}" -- \
        -max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$work/crashes/$target/" || failed+=("$target")
done
[ ${#failed[@]} -eq 0 ] || { echo "inputs that fail are in $work/crashes: ${failed[*]}" >&2; exit 1; }
