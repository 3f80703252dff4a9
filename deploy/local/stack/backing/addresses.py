"""Where a stack's brokers and its store are, as settings name them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from deploy.local.services.cassandra import host_of
from deploy.local.services.influxdb import LOCAL_ORG, LOCAL_TOKEN
from deploy.local.stack.members import Member, Role
from stores.settings import StoreKind

_LOCAL_CASSANDRA: Final = {
    "store": StoreKind.CASSANDRA.value,
    # Whatever the environment says of another one: this one asks for no password, and encrypts nothing.
    "cassandra_datacenter": "datacenter1",
    "cassandra_username": "",
    "cassandra_password_file": "",
    "cassandra_ca_file": "",
}


LOG: Final = "kafka_bootstrap"


def addresses_of(members: Iterable[Member], influx_token: Path) -> Mapping[str, str]:
    """By a setting's field: its value for whoever works on a stack of these members. Empty if one is missing.

    `influx_token`: the file with the token for InfluxDB; it need not be there.
    """
    by_role: dict[Role, list[Member]] = {}
    for member in members:
        by_role.setdefault(member.role, []).append(member)
    store = _store(by_role, influx_token)
    if Role.KAFKA not in by_role or not store:
        return {}
    return {LOG: ",".join(f"127.0.0.1:{broker.port}" for broker in by_role[Role.KAFKA]), **store}


def _store(by_role: Mapping[Role, list[Member]], influx_token: Path) -> Mapping[str, str]:
    if nodes := by_role.get(Role.CASSANDRA):
        hosts = ",".join(host_of(node.number) for node in nodes)
        return {**_LOCAL_CASSANDRA, "cassandra_hosts": hosts, "cassandra_port": str(nodes[0].port)}
    if found := by_role.get(Role.INFLUXDB):
        return {
            "store": StoreKind.INFLUX.value,
            "influx_url": f"http://127.0.0.1:{found[0].port}",
            "influx_token_file": str(influx_token) if influx_token.is_file() else "",
            # A stack that an earlier version started asks for none.
            "influx_token": LOCAL_TOKEN,
            "influx_org": LOCAL_ORG,
        }
    return {}
