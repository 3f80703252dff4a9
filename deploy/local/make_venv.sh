#!/usr/bin/env bash
# Makes .venv with all that the project needs, at the versions and hashes of requirements.lock.
# Run from the project's root. Run again after an interruption, it goes on: pip keeps what it has downloaded.
set -euo pipefail

too_old=
without_venv=
python=
for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
    version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    if ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        too_old="$candidate is $version"
    elif ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        without_venv=${without_venv:-$version}
    else
        python=$candidate
        break
    fi
done

if [ -z "$python" ]; then
    if [ -n "$without_venv" ]; then
        echo "Python $without_venv is here, but its venv module is not: sudo apt install python$without_venv-venv" >&2
    else
        echo "Python 3.11 or later is needed${too_old:+ ($too_old)}: sudo apt install python3 python3-venv" >&2
        echo "or name one: make setup PYTHON=/path/to/python3" >&2
    fi
    exit 1
fi

echo "Making .venv with $python ($version)"
"$python" -m venv .venv
echo "Installing the packages of requirements.lock"
.venv/bin/pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements.lock |
    sed -n 's/^Collecting \([^ ]*\).*/  \1/p; /^Installing/p'
.venv/bin/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
