#!/usr/bin/env bash
# Makes the virtual environment and sees to it that there is a Chromium. `make setup` runs it.
# What is already there and up to date is left alone. It asks for a password only where nothing else helps.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=$(pwd -P)
stamp=.venv/.setup-stamp
log=$(mktemp)
trap 'rm -f "$log"' EXIT

say() { printf 'setup: %s\n' "$*"; }

fail() {
    say "$*" >&2
    exit 1
}

bounded() { # seconds command...
    if command -v timeout >/dev/null; then timeout -k 10 "$@"; else "${@:2}"; fi
}

# --- virtual environment --------------------------------------------------------------------------------------------

find_python() {
    local name without_venv=''
    for name in python3.11 python3.12 python3.13 python3; do
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        if "$name" -c 'import ensurepip, venv' 2>/dev/null; then
            printf '%s\n' "$name"
            return
        fi
        without_venv=${without_venv:-$name}
    done
    if [[ -n $without_venv ]]; then
        fail "$without_venv cannot make virtual environments: install its venv package" \
            "(Debian, Ubuntu: apt-get install $without_venv-venv), then run make setup again"
    fi
    fail "no Python 3.11 or newer on PATH: install one (Debian, Ubuntu: apt-get install python3 python3-venv)," \
        "then run make setup again"
}

venv_is_usable() { # made in this folder (a moved one has stale paths inside), and its Python still runs
    [[ "$(cat .venv/pyvenv.cfg 2>/dev/null)" == *" $root/.venv"* ]] &&
        .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

set_up_venv() {
    local python fingerprint
    if ! venv_is_usable; then
        python=$(find_python)
        say "making .venv with $("$python" -V 2>&1)"
        "$python" -m venv --clear "$root/.venv"
    fi
    fingerprint=$({ .venv/bin/python -V && cat pyproject.toml constraints.txt; } | cksum)
    if [[ "$(cat "$stamp" 2>/dev/null)" != "$fingerprint" ]]; then
        say "installing pagemill and its pinned requirements into .venv"
        .venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check \
            -c constraints.txt -e '.[api,dev,load,postgres]' >"$log" 2>&1 || {
            cat "$log" >&2
            fail "the requirements could not be installed; the reason is above"
        }
        printf '%s\n' "$fingerprint" >"$stamp"
    fi
}

# --- Chromium -------------------------------------------------------------------------------------------------------

playwright_shell() { # prints the path of the headless shell that this version of Playwright installs, if it is there
    local folder path
    folder=$(.venv/bin/python -m playwright install --dry-run --only-shell chromium 2>/dev/null |
        sed -n 's/^ *Install location: *\(.*chromium_headless_shell-.*\)$/\1/p') || return 1
    [[ -n $folder ]] || return 1
    for path in "$folder"/*/chrome-headless-shell "$folder"/*/headless_shell; do
        if [[ -x $path ]]; then
            printf '%s\n' "$path"
            return
        fi
    done
    return 1
}

find_browser() { # prints the path of the browser that pagemill will use; keep the order in step with src/pagemill/browser
    local name
    if [[ -n ${PAGEMILL_CHROMIUM:-} ]]; then
        printf '%s\n' "$PAGEMILL_CHROMIUM"
        return
    fi
    playwright_shell && return
    for name in chromium-headless-shell chromium google-chrome; do
        type -P "$name" && return
    done
    return 1
}

is_root_or_has_sudo() { (( EUID == 0 )) || sudo -n true 2>/dev/null; }

may_ask() { [[ -z ${CI:-} ]] && : </dev/tty; } 2>/dev/null # there is a terminal, and somebody at it

as_root() {
    if (( EUID == 0 )); then
        "$@"
    elif sudo -n true 2>/dev/null; then
        sudo -n -- "$@"
    elif may_ask && command -v sudo >/dev/null; then
        sudo -p 'setup: password of %p, to install a system package: ' -- "$@"
    else
        echo "Neither root nor sudo: not run: $*" >&2
        return 1
    fi
}

install_libraries() { # what Playwright's own build needs from the system
    say "installing the system libraries that it needs"
    bounded 600 .venv/bin/python -m playwright install-deps chromium </dev/null >>"$log" 2>&1
}

install_playwright_shell() {
    say "no Chromium found: installing Playwright's headless shell"
    # A host that drops packets costs five attempts of this many milliseconds.
    PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT=${PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT:-10000} \
        bounded 300 .venv/bin/python -m playwright install --only-shell chromium </dev/null >>"$log" 2>&1 || return 1
    if is_root_or_has_sudo; then
        install_libraries || say "some libraries could not be installed; trying without"
    fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive timeout -k 10 600 apt-get -q -o Acquire::Retries=1 "$@" \
        </dev/null >>"$log" 2>&1
}

install_system_browser() {
    command -v apt-get >/dev/null || return 1
    say "Playwright's download did not work: installing the system's chromium-headless-shell"
    apt_get update || true # an old list of packages may still do
    apt_get install -y --no-install-recommends chromium-headless-shell && return
    say "that package is not to be had: installing the system's chromium"
    apt_get install -y --no-install-recommends chromium
}

starts() { bounded 60 "$1" --version </dev/null >"$log" 2>&1; }

set_up_browser() {
    local by_hand="install chromium-headless-shell, chromium or google-chrome with the system's package manager,"
    by_hand+=" or set PAGEMILL_CHROMIUM to the path of a Chromium, then run make setup again"
    if ! browser=$(find_browser); then
        if ! install_playwright_shell && ! install_system_browser || ! browser=$(find_browser); then
            cat "$log" >&2
            fail "no Chromium could be installed: $by_hand"
        fi
    fi
    starts "$browser" && return
    if [[ -n ${PAGEMILL_CHROMIUM:-} ]]; then
        cat "$log" >&2
        fail "PAGEMILL_CHROMIUM is $PAGEMILL_CHROMIUM, which does not start: correct it or unset it"
    fi
    if [[ $browser == */chromium_headless_shell-* ]]; then
        if is_root_or_has_sudo && install_libraries && starts "$browser"; then return; fi
        by_hand="run .venv/bin/playwright install-deps chromium as root, then make setup again"
    fi
    cat "$log" >&2
    fail "$browser does not start: $by_hand"
}

set_up_venv
set_up_browser
say "ready: $(.venv/bin/python -V), $browser"
