#!/bin/sh
# The browser tests use the system's Chromium, the composition's tests docker-compose. In CI, as
# root, they are installed where they are missing; elsewhere the tests that need them are skipped.
set -eu
has() {
    for name in "$@"; do
        if command -v "$name" >/dev/null 2>&1; then
            return 0
        fi
    done
    return 1
}
missing=
has chromium chromium-browser google-chrome || missing="$missing chromium"
has docker-compose || missing="$missing docker-compose"
[ -n "$missing" ] || exit 0
if [ -n "${CI:-}" ] && [ "$(id -u)" -eq 0 ] && has apt-get; then
    echo "Installing$missing for the tests; this may take two minutes."
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of packages
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "Not here:$missing. The tests that need it are skipped. Debian: apt-get install$missing"
fi
