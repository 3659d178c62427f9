#!/usr/bin/env bash
# Writes the comment for a pull request from the files of an artifact, which a fork may have written: only plain text of
# at most 60,000 characters in a code block that its content cannot close.
#
#   OUTPUT              folder with the artifact's files
#   COMMENT             file to write
set -euo pipefail

text=$(head -c 60000 "$OUTPUT/gate.md" | LC_ALL=C tr -d '\000-\010\013-\037\177')
fence='```'
while grep -qF "$fence" <<<"$text"; do
    fence+='`'
done
{
    echo '<!-- molarena -->'
    printf '%stext\n%s\n%s\n' "$fence" "$text" "$fence"
} >"$COMMENT"
