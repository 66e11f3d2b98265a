#!/bin/sh
# Runs a command with a Docker Engine of its own, as root: in a network and a /run of its own, so that no other Engine, no
# container and no browser of the machine notices it. Whatever was started ends with the command, however that ends.
#
#   own-engine.sh COMMAND...     exits as the command does; with 69 when no Engine can be had, saying why in one line
set -eu
none=69

if [ "${1:-}" = --inside ]; then
    folder=$2
    shift 2
    mount -t tmpfs tmpfs /run
    ip link set lo up
    export DOCKER_HOST=unix:///run/docker.sock
    dockerd --data-root "$folder/data" --pidfile /run/dockerd.pid >"$folder/log" 2>&1 &
    tries=0
    until docker version >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -gt 120 ] || ! kill -0 $! 2>/dev/null; then
            echo "The Docker Engine does not start here: $(tail -n 1 "$folder/log")" >&2
            exit $none
        fi
        sleep 0.5
    done
    code=0
    "$@" || code=$?
    kill "$(cat /run/dockerd.pid)" && wait
    exit $code
fi

for tool in unshare ip dockerd docker; do
    command -v "$tool" >/dev/null || { echo "There is no $tool here." >&2 && exit $none; }
done
apart="unshare --net --mount --pid --fork --kill-child --mount-proc"
if ! why=$($apart true 2>&1); then
    echo "This user may not set a network of its own apart: $why" >&2
    exit $none
fi
folder=$(mktemp -d "${TMPDIR:-/var/tmp}/arena-engine-XXXXXX")
trap 'rm -rf --one-file-system "$folder" || { sleep 2; rm -rf --one-file-system "$folder"; }' EXIT
trap 'exit 143' TERM INT HUP
# In the background, so that a signal is heard at once. Whatever runs inside is killed with it, however long Docker would
# take to end its containers.
$apart "$0" --inside "$folder" "$@" </dev/null &
trap 'kill -KILL $! 2>/dev/null; wait; exit 143' TERM INT HUP
wait $!
