#!/bin/sh
# The health check of worker and scheduler: has the main process made progress lately? Ends one that has not, so that the
# container's restart policy brings a fresh one: `unhealthy` alone restarts nothing, and nobody here may ask the engine.
#
#   health.sh [seconds of silence that are unhealthy] [seconds after which the process is ended]
unhealthy_s=${1:-60}
end_s=${2:-180}
now=$(date +%s)
state=1 # without any file nothing has begun to work yet
for file in "${TMPDIR:-/tmp}/pagemill-pulse-$(id -u)"/*; do
    [ -e "$file" ] || continue
    pid=${file##*/}
    if ! kill -0 "$pid" 2>/dev/null; then # what a killed process left
        rm -f "$file"
        continue
    fi
    age=$((now - $(stat -c %Y "$file")))
    if [ "$age" -ge "$end_s" ]; then
        echo "no progress of process $pid for $age s: it is ended"
        kill -KILL "$pid"
        exit 1
    fi
    if [ "$age" -ge "$unhealthy_s" ]; then
        echo "no progress of process $pid for $age s"
        exit 1
    fi
    state=0
done
exit $state
