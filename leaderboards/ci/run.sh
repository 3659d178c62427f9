#!/usr/bin/env bash
# Runs a suite, holds it against a baseline and writes the boards: the steps of action.yml.
#
#   MOLARENA            the program
#   SUITE               suite file
#   STORE               store that the run fills
#   OUTPUT              folder of boards.md, boards.csv, boards.json, page.html, gate.md, gate.xml and gate.code
#   BASELINE            store to hold against, or an archive of `store pack`; empty for none
#   TIME_REFERENCE      row whose time others are compared with; empty for none
#   PLUGINS             folders or libraries of plugins, one a line
#   MOLARENA_DATA       folder of the datasets
set -euo pipefail

options=()
while IFS= read -r plugin; do
    [ -z "$plugin" ] || options+=(--plugin "$plugin")
done <<<"${PLUGINS:-}"

mkdir -p "$OUTPUT"
# Failed cells are rows of the boards, which the gate judges.
code=0
"$MOLARENA" run "$SUITE" --store "$STORE" "${options[@]}" || code=$?
[ "$code" = 0 ] || [ "$code" = 10 ] || exit "$code"

for format in md csv json; do
    "$MOLARENA" board --store "$STORE" --format "$format" >"$OUTPUT/boards.$format"
done
"$MOLARENA" board --store "$STORE" --html "$OUTPUT/page.html"

echo 0 >"$OUTPUT/gate.code"
if [ -n "${BASELINE:-}" ]; then
    if [ -f "$BASELINE" ]; then
        "$MOLARENA" store unpack "$BASELINE" --store "$STORE-baseline"
        BASELINE=$STORE-baseline
    fi
    gate=(--baseline "$BASELINE" --store "$STORE" --suite "$SUITE" --junit "$OUTPUT/gate.xml")
    if [ -n "${TIME_REFERENCE:-}" ]; then
        # A second run of the same cells confirms times.
        "$MOLARENA" run "$SUITE" --store "$STORE-second" "${options[@]}" >/dev/null || [ $? = 10 ]
        gate+=(--time-reference "$TIME_REFERENCE" --second "$STORE-second")
    fi
    code=0
    "$MOLARENA" gate "${gate[@]}" >"$OUTPUT/gate.md" || code=$?
    echo "$code" >"$OUTPUT/gate.code"
    cat "$OUTPUT/gate.md"
fi
