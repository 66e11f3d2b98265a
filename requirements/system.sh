#!/bin/sh
# What the system must have, brought here where it may: as root or with passwordless sudo, where there is apt-get.
# Anywhere else the one line to run is printed.
#
#   system.sh venv FOLDER        a virtual environment made with $PYTHON, or with the newest Python from 3.11 to 3.13
#   system.sh russian            Russian for Tesseract; a machine that cannot have it goes on without
#   system.sh browser            a browser for the tests
#   system.sh compiler           for the stand-in of the GPU driver's library in the tests
#   system.sh docker             a Docker Engine for the tests, started where nothing else starts it
#   system.sh packages NAME...   Debian packages by name
set -eu
here=$(dirname "$0")

packages() {
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086 # names of packages, meant to be split
    set -- $missing
    if ! command -v apt-get >/dev/null; then
        echo "There is no apt-get here. With your system's own tool, install: $*" >&2
        return 1
    fi
    if [ "$(id -u)" = 0 ]; then
        sudo=
    elif sudo -n true 2>/dev/null; then
        sudo=sudo
    else
        echo "To complete the installation, run:  sudo apt-get install $*" >&2
        return 1
    fi
    echo "Installing from Debian's packages: $*"
    # An old list of packages is no reason to stop: what is asked for may be in it.
    $sudo apt-get update -qq </dev/null || true
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2 || {
        echo "That failed. To try again, run:  ${sudo:+sudo }apt-get install $*" >&2
        return 1
    }
}

find_python() {
    for python in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if "$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
            >/dev/null 2>&1; then
            return 0
        fi
    done
    return 1
}

venv() {
    # Debian's python3 comes without the module that makes environments.
    if ! find_python && { [ -n "${PYTHON:-}" ] || ! packages python3 python3-venv || ! find_python; }; then
        echo "${PYTHON:+$PYTHON does not fit. }Python 3.11, 3.12 or 3.13 with its venv module is needed." >&2
        return 1
    fi
    echo "Making $1 with $("$python" --version), $(command -v "$python")"
    "$python" -m venv --clear "$1"
}

russian() {
    for folder in "${TESSDATA_PREFIX:-/usr/share/tessdata}" /usr/share/tesseract-ocr/*/tessdata \
        /usr/local/share/tessdata /opt/homebrew/share/tessdata; do
        [ ! -f "$folder/rus.traineddata" ] || return 0
    done
    echo "Tesseract reads English only so far; adding Russian."
    if [ "$(uname)" = Darwin ]; then
        echo "To add it, run:  brew install tesseract-lang" >&2
    else
        # shellcheck disable=SC2046 # one name a line
        packages $(cat "$here/../packages.txt") || true
    fi
}

browser() {
    ! command -v apt-get >/dev/null || packages fonts-dejavu-core || true
    for name in "${ARENA_CHROMIUM:-chromium}" chromium-browser google-chrome; do
        ! command -v "$name" >/dev/null || return 0
    done
    packages chromium
}

compiler() {
    command -v "${CC:-cc}" >/dev/null || packages gcc libc6-dev
}

# Leaves alone whatever answers already. One started here goes on afterwards; its pid is in /run/arena-dockerd.pid.
docker() {
    ! engine_answers || return 0
    if [ "$(uname)" != Linux ]; then
        echo "No Docker Engine answers. Start Docker Desktop, then try again." >&2
        return 1
    fi
    [ -n "$(command -v dockerd)" ] || packages docker.io iptables || return 1
    if [ "$(id -u)" != 0 ]; then
        echo "No Docker Engine answers. To start it, run:  sudo systemctl start docker" >&2
        return 1
    fi
    if [ -d /run/systemd/system ]; then
        systemctl start docker
    else
        nohup dockerd --pidfile /run/arena-dockerd.pid >/var/log/arena-dockerd.log 2>&1 </dev/null &
    fi
    tries=0
    while ! engine_answers; do
        tries=$((tries + 1))
        if [ "$tries" -gt 60 ]; then
            echo "The Docker Engine does not start here: $(tail -n 1 /var/log/arena-dockerd.log 2>/dev/null)" >&2
            return 1
        fi
        sleep 0.5
    done
}

engine_answers() {
    "$here/../.venv/bin/python" -c "import docker; docker.from_env(timeout=10).ping()" >/dev/null 2>&1
}

"$@"
