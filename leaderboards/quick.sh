#!/usr/bin/env bash
# Builds molarena, fetches two small datasets, runs leaderboards/suites/quick.toml and prints the boards.
# Needs cargo; installs a C compiler on Debian if there is none.
#
#   MOLARENA_DATA     folder of the datasets (default: molarena-data; missing files are downloaded)
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v cc >/dev/null; then
    echo "installing a C compiler (gcc)" >&2
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq --no-install-recommends gcc libc6-dev ca-certificates
fi

export MOLARENA_DATA=${MOLARENA_DATA:-molarena-data}
cargo build --locked --release -p molarena -p molarena-baselines
molarena=${CARGO_TARGET_DIR:-target}/release/molarena
"$molarena" data fetch chembl2k biogen3k
"$molarena" run leaderboards/suites/quick.toml --store molarena-store
"$molarena" board --store molarena-store
