"""Creating the two buckets, and giving them their retention, on InfluxDB 1.8 and 2.x."""

from datetime import timedelta
from typing import Final, NamedTuple

import msgspec

from contract.errors import StoreConflict, StoreUnavailable
from stores.influx.connection import InfluxConnection
from stores.influx.schema import Bucket, quoted_name
from stores.influx.settings import InfluxSettings

HOURLY_SHARDS: Final = timedelta(weeks=520)
"""With the default of 7 days, one action in each of 1,000 weeks cost 9,018 file descriptors and 635 MB."""

_DAY: Final = timedelta(days=1)


class _Rule(NamedTuple):
    """How long a bucket keeps points (None: without limit), and how long the time is that one of its files holds."""

    kept: timedelta | None
    shards: timedelta


async def create_buckets(settings: InfluxSettings) -> None:
    """Makes both buckets be there, with the retention that the settings say. May be called again at any time.

    Raises StoreUnavailable, and StoreConflict where a bucket cannot be what the settings say.
    """
    raw_shards = timedelta(hours=1) if settings.raw_retention < 2 * _DAY else _DAY
    rules = {
        Bucket.named(settings.raw_bucket): _Rule(settings.raw_retention, raw_shards),
        Bucket.named(settings.hourly_bucket): _Rule(None, HOURLY_SHARDS),
    }
    if len(rules) == 1:
        raise StoreConflict(f"raw and hourly bucket are both {settings.raw_bucket}", reason="conflict")
    connection = InfluxConnection(settings)
    try:
        create = _create_in_2 if await is_2(connection) else _create_in_1
        for bucket, rule in rules.items():
            await create(connection, settings.influx_org, bucket, rule)
    finally:
        await connection.close()


async def is_2(connection: InfluxConnection) -> bool:
    """Whether there is a buckets API: builds of our own do not report a version."""
    try:
        await connection.request("GET", "/api/v2/buckets")
    except StoreUnavailable as error:
        if error.reason == "not_found":
            return False
        raise
    return True


async def _create_in_1(connection: InfluxConnection, _org: str, bucket: Bucket, rule: _Rule) -> None:
    database, policy = quoted_name(bucket.database), quoted_name(bucket.policy)
    await connection.query(None, f"CREATE DATABASE {database}")
    (found,) = await connection.query(None, f"SHOW RETENTION POLICIES ON {database}")
    verb = "ALTER" if any(row[0] == bucket.policy for series in found for row in series.values) else "CREATE"
    await connection.query(
        None,
        f"{verb} RETENTION POLICY {policy} ON {database} DURATION {_seconds(rule.kept)}s"
        f" REPLICATION 1 SHARD DURATION {_seconds(rule.shards)}s",
    )


async def _create_in_2(connection: InfluxConnection, org: str, bucket: Bucket, rule: _Rule) -> None:
    rules = [
        {
            "type": "expire",
            "everySeconds": _seconds(rule.kept),
            "shardGroupDurationSeconds": _seconds(rule.shards),
        }
    ]
    org_id = await organization(connection, org)
    found = await _bucket_ids(connection, org_id, bucket)
    if found:
        await connection.request("PATCH", f"/api/v2/buckets/{found[0]}", json={"retentionRules": rules})
    else:
        new = {"orgID": org_id, "name": bucket.name, "retentionRules": rules}
        await connection.request("POST", "/api/v2/buckets", json=new)


async def organization(connection: InfluxConnection, name: str) -> str:
    """The id of an organization of 2.x. Raises StoreUnavailable."""
    body = await connection.request("GET", "/api/v2/orgs", query=[("org", name)])
    for found in msgspec.json.decode(body, type=_Orgs).orgs:
        return found.id
    raise StoreUnavailable(f"the organization {name} is not there, or not this token's to see", reason="not_found")


async def _bucket_ids(connection: InfluxConnection, org_id: str, bucket: Bucket) -> list[str]:
    try:
        body = await connection.request("GET", "/api/v2/buckets", query=[("orgID", org_id), ("name", bucket.name)])
    except StoreUnavailable as error:
        if error.reason == "not_found":
            return []
        raise
    return [found.id for found in msgspec.json.decode(body, type=_Buckets).buckets]


class _Id(msgspec.Struct):
    id: str


class _Orgs(msgspec.Struct):
    orgs: list[_Id]


class _Buckets(msgspec.Struct):
    buckets: list[_Id]


def _seconds(duration: timedelta | None) -> int:
    """0 stands for no limit."""
    return 0 if duration is None else int(duration.total_seconds())
