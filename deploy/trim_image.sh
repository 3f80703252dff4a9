#!/bin/sh
# Takes from packages in the folder $1 what no service reads: 117 MB stay.
set -eu

# Names and debug information in compiled modules: 30 MB. Not of those with an RPATH: they were rewritten once, to find
# the libraries that came with them, and do not survive being rewritten again.
find "$1" -name '*.so' -not -path '*.libs/*' | while read -r module; do
    readelf --dynamic "$module" | grep -qE 'RPATH|RUNPATH' || strip --strip-unneeded "$module"
done

# What is there for compilers, for type checkers, and to test the packages: 12 MB.
find "$1" -depth -type d \( -name tests -o -path '*/numpy/f2py' -o -path '*/numpy/distutils' \) -exec rm -rf {} +
find "$1" -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.px[di]' -o -name '*.[cha]' -o -name '*.cpp' \) -delete
rm -f "$1"/numpy/_core/_simd.*.so "$1"/numpy/_core/*_tests.*.so

# What nothing leads to: another page for an API, clients that need more packages than we install, messages of Google's
# own services, names of attributes, and the colours of all languages but Python, which tracebacks have: 6 MB.
rm -rf "$1"/fastapi_offline/static/redoc.standalone.js "$1"/confluent_kafka/schema_registry
find "$1/google" -mindepth 1 -maxdepth 1 ! -name protobuf ! -name _upb -exec rm -rf {} +
find "$1/opentelemetry/semconv/_incubating" -type f ! -name __init__.py ! -name 'otel_*.py' -delete
find "$1/pygments/lexers" -type f ! -name __init__.py ! -name _mapping.py ! -name python.py -delete

# Modules in their compiled form only, and once: without one, each start of a service takes twice the CPU.
python -m compileall -qq -b --invalidation-mode unchecked-hash "$1"
find "$1" -name '*.py' -delete
find "$1" -name '*.so' | while read -r module; do rm -f "${module%%.cpython-*}.pyc"; done
