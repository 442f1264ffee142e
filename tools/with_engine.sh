#!/usr/bin/env bash
# Runs a command with a container engine: the one that answers, or else one that is started for it and ended afterwards.
# Ends with 69 where none can be had.
set -euo pipefail
starter=../shared/docker/engine.sh # relative to the repository's folder; where that file exists, it starts an engine

if docker version >/dev/null 2>&1; then
    exec "$@"
fi
if [[ ! -f $starter ]]; then
    echo "no container engine answers: start Docker, or see to it that this user may use it" >&2
    exit 69
fi
trap 'bash "${starter%.sh}-stop.sh"' EXIT
bash "$starter" || exit 69
# shellcheck source=/dev/null
. "${LAB:-$HOME/.cache/pagemill-docker}/env.sh"
"$@"
