"""Making tokens that may do what a process needs, and nothing else, on InfluxDB 1.8 and 2.x."""

import secrets
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
from pydantic import SecretStr

from contract.errors import StoreUnavailable
from stores.influx.access.token_file import token_in, write_token
from stores.influx.connection import InfluxConnection
from stores.influx.schema import PROBE, Bucket, quoted_name, quoted_text
from stores.influx.settings import InfluxSettings
from stores.influx.setup import is_2, organization

_REFUSED: Final = frozenset({"unauthorized", "forbidden", "not_found"})


class Access(StrEnum):
    """What a token is for."""

    WRITER = "writer"
    """Workers, the rollup, and a rebuild: they read and write both buckets."""
    READER = "reader"
    """Aggregators, audits, dashboards: they read results, and no raw actions."""


async def grant(settings: InfluxSettings, access: Access, file: Path) -> None:
    """Makes `file` hold a token that has this access; `settings` are those of an administrator, and buckets exist.

    One that is there and works stays. Otherwise, and where somebody removed the file, it is a new one, and tokens that
    were made for this access before work no more. Raises StoreUnavailable, and OSError for the file.
    """
    connection = InfluxConnection(settings)
    try:
        make = _make_in_2 if await is_2(connection) else _make_in_1
        await make(connection, settings, access, file)
    finally:
        await connection.close()


def _name(settings: InfluxSettings, access: Access) -> str:
    """Several collectors may share a server."""
    return f"{Bucket.named(settings.hourly_bucket).database}_{access}"


def _rights(settings: InfluxSettings, access: Access) -> dict[str, tuple[str, ...]]:
    """By bucket."""
    if access is Access.READER:
        return {settings.hourly_bucket: ("read",)}
    return dict.fromkeys((settings.raw_bucket, settings.hourly_bucket), ("read", "write"))


async def _make_in_1(connection: InfluxConnection, settings: InfluxSettings, access: Access, file: Path) -> None:
    """A user: the token is its name, a colon and its password."""
    user = _name(settings, access)
    kept = token_in(file)
    password = kept.partition(":")[2] if kept and kept.startswith(f"{user}:") else secrets.token_hex(32)
    # It must be known before it is in force.
    write_token(file, f"{user}:{password}")
    (users,) = await connection.query(None, "SHOW USERS")
    is_there = any(row[0] == user for series in users for row in series.values)
    statement = "SET PASSWORD FOR {} = {}" if is_there else "CREATE USER {} WITH PASSWORD {}"
    await connection.query(None, statement.format(quoted_name(user), quoted_text(password)))
    for bucket, rights in _rights(settings, access).items():
        privilege = "ALL" if "write" in rights else "READ"
        database = quoted_name(Bucket.named(bucket).database)
        await connection.query(None, f"GRANT {privilege} ON {database} TO {quoted_name(user)}")


async def _make_in_2(connection: InfluxConnection, settings: InfluxSettings, access: Access, file: Path) -> None:
    if (kept := token_in(file)) and await _works(settings, kept):
        return
    name, org_id = _name(settings, access), await organization(connection, settings.influx_org)
    outdated = await _tokens_named(connection, org_id, name)
    permissions = [
        {
            "action": right,
            "resource": {"type": "buckets", "orgID": org_id, "id": await _bucket(connection, org_id, one)},
        }
        for one, rights in _rights(settings, access).items()
        for right in rights
    ]
    new = {"orgID": org_id, "description": name, "permissions": permissions}
    made = msgspec.json.decode(await connection.request("POST", "/api/v2/authorizations", json=new), type=_Token)
    write_token(file, made.token)
    for id_ in outdated:
        await connection.request("DELETE", f"/api/v2/authorizations/{id_}")


async def _works(settings: InfluxSettings, token: str) -> bool:
    connection = InfluxConnection(settings.model_copy(update={"influx_token": SecretStr(token)}))
    try:
        await connection.query(Bucket.named(settings.hourly_bucket), PROBE)
    except StoreUnavailable as error:
        if error.reason in _REFUSED:
            return False
        raise
    finally:
        await connection.close()
    return True


async def _tokens_named(connection: InfluxConnection, org_id: str, name: str) -> list[str]:
    body = await connection.request("GET", "/api/v2/authorizations", query=[("orgID", org_id)])
    return [one.id for one in msgspec.json.decode(body, type=_Tokens).authorizations if one.description == name]


async def _bucket(connection: InfluxConnection, org_id: str, name: str) -> str:
    body = await connection.request("GET", "/api/v2/buckets", query=[("orgID", org_id), ("name", name)])
    return msgspec.json.decode(body, type=_Buckets).buckets[0].id


class _Token(msgspec.Struct):
    id: str
    token: str = ""
    description: str = ""


class _Tokens(msgspec.Struct):
    authorizations: list[_Token]


class _Bucket(msgspec.Struct):
    id: str


class _Buckets(msgspec.Struct):
    buckets: list[_Bucket]
