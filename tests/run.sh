#!/usr/bin/env bash
# Runs all tests. Needs cargo; installs a C compiler on Debian if there is none.
#
#   MOLARENA_DATA     folder of the datasets     (without it, tests on real data say that they were skipped)
#   MOLARENA_GOLDEN   folder of RDKit's outputs  (likewise)
#   MOLARENA_REQUIRE_SLURM   1 if Slurm must be installed (else its tests say that they were skipped where it is not)
#   MOLARENA_TEST_FEATURES   features of the plugins that tests open, such as molarena-infoalign/libtorch
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v cc >/dev/null; then
    echo "installing a C compiler (gcc)" >&2
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq --no-install-recommends gcc libc6-dev
fi

cargo test --locked --workspace --doc "$@"
exec cargo test --locked --workspace --tests "$@"
