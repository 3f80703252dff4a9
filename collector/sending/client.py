"""The way to the ingest API."""

from pathlib import Path
from typing import Final

import httpx
import typer

from collector.options import DEFAULT_PORT, folder_of, key_headers
from deploy.local.errors import NoStack
from deploy.local.stack.members import Role
from deploy.local.stack.state_file import read_state

DEFAULT_URL: Final = f"http://127.0.0.1:{DEFAULT_PORT}"
_TIMEOUT: Final = 60.0
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def gateway_of(data: Path) -> str:
    """The address of the gateway of the stack in this folder. Raises NoStack."""
    folder = folder_of(data)
    ports = [member.port for member in read_state(folder.state).members if member.role is Role.GATEWAY]
    if not ports:
        raise NoStack(f"no stack runs in {folder.path}")
    return f"http://127.0.0.1:{ports[0]}"


def client_of(url: str, key_file: Path | None = None) -> httpx.Client:
    """A client of the API at this address, with the key in a file. What is none of these is wrong usage."""
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise typer.BadParameter(f"{url}: {error}") from error
    if address.scheme not in {"http", "https"} or not address.host:
        raise typer.BadParameter(f"{url} is not an HTTP address, such as {DEFAULT_URL}")
    # A proxy cannot reach this machine's own ports.
    proxied = address.host not in _LOOPBACK
    return httpx.Client(base_url=url, headers=key_headers(key_file), timeout=_TIMEOUT, trust_env=proxied)
