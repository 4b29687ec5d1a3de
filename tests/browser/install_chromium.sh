#!/bin/sh
# The browser tests use the system's Chromium. In CI, as root, it is installed where it is missing;
# elsewhere the tests that need it say so and are skipped.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done
if [ -n "${CI:-}" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests; this may take two minutes."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
else
    echo "There is no Chromium: the browser tests are skipped. Debian: apt-get install chromium"
fi
