"""Ports that stay free while their server is down."""

import random

from deploy.local.ports import free_port


def steady_port() -> int:
    """A free port below those that outgoing connections, and servers that ask for any port, are given.

    InfluxDB was seen to take, for its backups, the very port that it should have served on.
    """
    return free_port(random.sample(range(15_000, 30_000), 50))
