#!/bin/sh
# Restarts a service's containers one by one, each once the one before is ready: restart.sh SERVICE, beside compose.yaml.
set -eu
for container in $(docker compose ps --quiet "$1"); do
    docker restart "$container"
    until [ "$(docker inspect --format '{{.State.Health.Status}}' "$container")" = healthy ]; do
        sleep 1 # the engine tells its health to who asks
    done
done
