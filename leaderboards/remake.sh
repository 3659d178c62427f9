#!/usr/bin/env bash
# Makes boards again from their suites: runs each suite in a store of its own, packs that store into leaderboards/stores, and
# writes leaderboards/boards/NAME.{md,csv,json} and NAME.store, which names the archive. Cells that a store holds are not run.
# leaderboards/index.html, the page over all boards with an archive, is made again if all archives are there: git holds
# quick's only.
#
#   leaderboards/remake.sh quick forest
#
#   MOLARENA          the program (default: target/release/molarena)
#   MOLARENA_DATA     folder of the datasets (default: molarena-data)
#   STORES            folder of the suites' stores (default: molarena-stores)
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || { echo "usage: leaderboards/remake.sh SUITE..., names of leaderboards/suites" >&2; exit 2; }
molarena=${MOLARENA:-${CARGO_TARGET_DIR:-target}/release/molarena}
stores=${STORES:-molarena-stores}

for suite in "$@"; do
    file=leaderboards/suites/$suite.toml board=leaderboards/boards/$suite store=$stores/$suite
    "$molarena" run "$file" --store "$store"
    archive=$("$molarena" store pack --store "$store" --output leaderboards/stores)
    archive=${archive%%:*}
    [ ! -f "$board.store" ] || [ "$(cat "$board.store")" = "${archive##*/}" ] || rm -f "leaderboards/stores/$(cat "$board.store")"
    echo "${archive##*/}" >"$board.store"
    for format in md csv json; do
        "$molarena" board --store "$store" --latest --format "$format" >"$board.$format"
    done
done

archives=()
for board in leaderboards/boards/*.store; do
    archives+=("leaderboards/stores/$(cat "$board")")
done
for archive in "${archives[@]}"; do
    [ -f "$archive" ] || { echo "leaderboards/index.html stays as it was: $archive is not here" >&2; exit 0; }
done
all=$(mktemp -d)
trap 'rm -rf "$all"' EXIT
"$molarena" store unpack "${archives[@]}" --store "$all/store"
"$molarena" board --store "$all/store" --latest --html leaderboards/index.html
