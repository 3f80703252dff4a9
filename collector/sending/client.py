"""The way to the ingest API."""

from pathlib import Path
from typing import Final

import httpx
import typer

from collector.options import DEFAULT_PORT, folder_of, key_headers, trusting
from deploy.local.errors import NoStack
from deploy.local.stack.members import Role
from deploy.local.stack.state_file import read_state

DEFAULT_URL: Final = f"http://127.0.0.1:{DEFAULT_PORT}"
_TIMEOUT: Final = 60.0
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def client_for(url: str | None, data: Path | None, key_file: Path | None) -> httpx.Client:
    """A client of the API at this address, else of the gateway of the stack in this folder, else of the default one.

    Of a stack that was started with --secure it trusts the certificate, and shows the operator's key by default.
    Raises NoStack.
    """
    if url is not None or data is None:
        return client_of(url or DEFAULT_URL, key_file)
    folder = folder_of(data)
    for member in read_state(folder.state).members:
        if member.role is Role.GATEWAY:
            own_key = folder.operators_key if folder.is_secure else None
            return client_of(member.url, key_file or own_key, member.trusted)
    raise NoStack(f"no stack runs in {folder.path}")


def client_of(url: str, key_file: Path | None = None, trusted: str | None = None) -> httpx.Client:
    """A client of the API at this address, with the key in a file. What is none of these is wrong usage.

    `trusted`: a file with the certificate to trust, beside the system's.
    """
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise typer.BadParameter(f"{url}: {error}") from error
    if address.scheme not in {"http", "https"} or not address.host:
        raise typer.BadParameter(f"{url} is not an HTTP address, such as {DEFAULT_URL}")
    # A proxy cannot reach this machine's own ports.
    proxied = address.host not in _LOOPBACK
    verify = trusting(trusted)
    return httpx.Client(base_url=url, headers=key_headers(key_file), timeout=_TIMEOUT, trust_env=proxied, verify=verify)
