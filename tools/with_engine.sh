#!/usr/bin/env bash
# Runs a command with a container engine: the one that answers, or else one that is started for it and ended afterwards.
set -euo pipefail
starter=../shared/docker/engine.sh # relative to the repository's folder; where that file exists, it starts an engine

if docker version >/dev/null 2>&1 || [[ ! -f $starter ]]; then
    exec "$@"
fi
bash "$starter"
trap 'bash "${starter%.sh}-stop.sh"' EXIT
# shellcheck source=/dev/null
. "${LAB:-$HOME/.cache/pagemill-docker}/env.sh"
"$@"
