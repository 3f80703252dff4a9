"""The settings that processes have in common, and how a process reads its own."""

import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, TypeAdapter, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contract.log.action import is_event
from contract.log.event_names import BUSINESS_EVENTS
from contract.shown import shown
from service.client import Network, networks
from service.logs.formats import LogFormat
from service.web.hosts import Hosts, is_loopback

EXIT_UNUSABLE_SETTINGS = 2

_WITH_A_SECRET: Final = re.compile(r"@|://.*\?")
"""A user and a password in an address, or parameters."""


def _names(value: object) -> object:
    if not isinstance(value, str):
        return value
    names = tuple(name.strip() for name in value.split(","))
    for name in names:
        if not is_event(name):
            raise ValueError(
                f"{shown(name)} is not the name of an event: a lower-case letter, then up to 31 of a-z, 0-9 and _"
            )
    return names


class EventSettings(BaseSettings):
    """Which events there are: those that the API accepts, and that the store knows by name."""

    model_config = SettingsConfigDict(env_prefix="COLLECTOR_", frozen=True)

    ingest_events: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = Field(
        BUSINESS_EVENTS,
        min_length=1,
        description="Accepted events, separated by commas; where the store holds others, sent by foreign producers, "
        "they share one series `_other`",
    )


def _none_if_empty(value: object) -> object:
    return value or None


class ProcessSettings(BaseSettings):
    """A process. From the environment: COLLECTOR_ and a field's name in capitals. Durations: ISO 8601."""

    model_config = SettingsConfigDict(env_prefix="COLLECTOR_", frozen=True)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Lowest level of log lines that are written"
    )
    log_format: LogFormat = Field("text", description="Form of log lines: `text`, or `json`, one object a line")


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    return networks(text.strip() for text in value.split(",")) if value.strip() else ()


class ServiceSettings(ProcessSettings):
    """A process that answers over HTTP; each service has a default port of its own."""

    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(ge=0, le=65_535, description="Port to listen on")
    keys_file: Annotated[Path | None, BeforeValidator(_none_if_empty)] = Field(
        None, description="The file of keys that `collector keys` makes: with it, each request needs one"
    )
    open: bool = Field(
        default=False,
        description="Whether a service without keys may listen on another address than this machine's own: for what "
        "something else guards",
    )

    allowed_hosts: Hosts = Field(
        (),
        description="Hosts that requests may name in their header Host, without ports, separated by commas; `*`: all. "
        "Not set: localhost, 127.0.0.1 and [::1] where the service listens on loopback, else all",
    )

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        if not (self.keys_file or self.open or is_loopback(self.host)):
            raise ValueError(
                f"COLLECTOR_HOST={self.host} lets others in, and there are no keys: make some by `collector keys add` "
                "and name their file in COLLECTOR_KEYS_FILE; or set COLLECTOR_OPEN=true, if something else guards it"
            )
        return self


class HttpSettings(ServiceSettings):
    """A process whose clients may be anybody."""

    max_connections: int = Field(
        8_192,
        ge=2,
        description="Maximum connections of clients; fewer where the system allows fewer descriptors; then 503",
    )
    max_client_connections: int = Field(
        4_096,
        ge=1,
        description="Maximum connections of one client address, and half of all that are possible; then 503",
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = Field(
        (),
        description="Addresses, or networks, of proxies that name their clients in X-Forwarded-For, separated by "
        "commas: what one client may have is not counted by theirs",
    )


_DURATION: Final = TypeAdapter(timedelta)


def duration_text(duration: timedelta) -> str:
    """As settings are written: ISO 8601."""
    return str(_DURATION.dump_python(duration, mode="json"))


S = TypeVar("S", bound=BaseSettings)


def settings_or_exit(kind: type[S]) -> S:
    """The settings in the environment. Where one is unusable: a line for each on standard error, and exit code 2."""
    try:
        return kind()
    except ValidationError as error:
        for line in _explained(kind, error):
            print(line, file=sys.stderr)  # noqa: T201 - there is no log yet: its level is a setting
        sys.exit(EXIT_UNUSABLE_SETTINGS)


def _explained(kind: type[BaseSettings], error: ValidationError) -> Iterator[str]:
    """The variable, its value and the rule."""
    prefix = kind.model_config.get("env_prefix", "")
    for one in error.errors():
        rule = one["msg"].removeprefix("Value error, ").replace("timedelta", "duration, like PT0.5S or P30D")
        # A rule about several settings names them itself.
        name = f"{prefix}{one['loc'][0]}".upper() if one["loc"] else None
        yield rule if name is None else f"{name}{_shown(kind, str(one['loc'][0]), one['input'])}: {rule}"


def _shown(kind: type[BaseSettings], field: str, value: Any) -> str:  # noqa: ANN401 - whatever was read
    """No secret is shown, nor a URL that may hold one."""
    info = kind.model_fields.get(field)
    is_secret = (info is not None and info.annotation is SecretStr) or _WITH_A_SECRET.search(str(value))
    text = duration_text(value) if isinstance(value, timedelta) else str(value)
    return "" if is_secret else f"={text if text.isprintable() else shown(text)}"
