#!/usr/bin/env bash
# Runs tests side by side, and once more, alone, those that fail. A test that only fails beside others was short of time
# or memory: it is told, at the end, and is no failure. `tools/test.sh [pytest's arguments]`
set -euo pipefail
unset PYTHONDONTWRITEBYTECODE # whole runs start hundreds of processes, and each would compile the source again
most=5 # that may be run again; more than that is no accident

python=.venv/bin/python
kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT
code=0
"$python" -m pytest --override-ini "cache_dir=$kept" "$@" || code=$?
if (( code != 1 )); then exit "$code"; fi

names='import json, sys; print(*json.load(open(sys.argv[1])), sep="\n")'
mapfile -t tests < <("$python" -c "$names" "$kept/v/cache/lastfailed" 2>/dev/null)
if (( ${#tests[@]} == 0 || ${#tests[@]} > most )); then exit 1; fi
echo "tests: ${#tests[@]} failed, and run again, alone"
"$python" -m pytest --no-cov "${tests[@]}"
printf 'tests: UNSTABLE, passed only when run alone: %s\n' "${tests[@]}"
