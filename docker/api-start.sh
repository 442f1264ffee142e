#!/bin/sh
# Starts the control API. Its secret, where it is given none, is made when it first starts, and stays on a volume of its own.
set -eu
secret=$PAGEMILL_API_SECRET_FILE
if [ ! -s "$secret" ]; then
    new=$(mktemp "$secret.XXXXXX")
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$new"
    ln "$new" "$secret" 2>/dev/null || true # another one was quicker
    rm "$new"
fi
exec pagemill api "$@"
