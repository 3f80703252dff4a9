"""Where InfluxDB is, and what of it is ours to decide."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr, model_validator

from stores.raw.settings import RawSettings


def _bare(url: HttpUrl) -> HttpUrl:
    """Errors and logs name the address: it must hold no secret, and the client sends none that it holds."""
    if url.username is not None or url.password is not None:
        raise ValueError(
            "an address without a user and a password: for 1.8 they go into COLLECTOR_INFLUX_TOKEN as USER:PASSWORD, "
            "or into the file that COLLECTOR_INFLUX_TOKEN_FILE names"
        )
    if url.query is not None or url.fragment is not None:
        raise ValueError("an address without ? and #: parameters in it would not be sent")
    return url


def _usable(token: SecretStr) -> SecretStr:
    text = token.get_secret_value()
    if not text:
        raise ValueError("is empty; InfluxDB 1.8 without authentication takes any text")
    if not text.isprintable() or text != text.strip():
        raise ValueError("has spaces around it, a line break or another control character")
    return token


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


class InfluxSettings(RawSettings):
    """The store's settings, from the environment: COLLECTOR_ and a field's name in capitals. Durations: ISO 8601."""

    influx_url: Annotated[HttpUrl, AfterValidator(_bare)] = Field(
        HttpUrl("http://127.0.0.1:8086"), description="InfluxDB's address"
    )
    influx_token: Annotated[SecretStr, AfterValidator(_usable)] = Field(
        SecretStr("collector:collector"), description="API token; for 1.8 the user, a colon and the password"
    )
    influx_token_file: Annotated[Path | None, BeforeValidator(_none_if_empty)] = Field(
        None, description="A file that holds the token, read at the start; it goes before COLLECTOR_INFLUX_TOKEN"
    )
    influx_org: str = Field("-", min_length=1, description="Organization; for 1.8 a dash")
    raw_bucket: str = Field("actions/autogen", description="Bucket of raw actions: database/retention policy")
    hourly_bucket: str = Field("hourly/autogen", description="Bucket of results: database/retention policy")
    influx_timeout: timedelta = Field(
        timedelta(seconds=30), gt=timedelta(0), description="Time limit for a request and its whole answer"
    )
    influx_connect_timeout: timedelta = Field(
        timedelta(seconds=5), gt=timedelta(0), description="Time limit for connecting"
    )
    influx_connections: int = Field(4, ge=1, le=64, description="Maximum number of concurrent requests")
    influx_gzip: bool = Field(default=False, description="Compress what is sent: slower on a fast network")

    @model_validator(mode="before")
    @classmethod
    def _read_token(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        # Where another store is used, nobody has made the file.
        file = values.get("influx_token_file") if values.get("store", "influx") == "influx" else None
        return {**values, "influx_token": _text_of(Path(file))} if file else values


def _text_of(file: Path) -> str:
    name = f"COLLECTOR_INFLUX_TOKEN_FILE={file}"
    try:
        text = file.read_text().strip()
    except OSError as error:
        raise ValueError(f"{name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{name}: is no text in UTF-8") from None
    if not text:
        raise ValueError(f"{name}: is empty")
    return text
