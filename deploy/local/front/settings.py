"""The door's settings, from the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class FrontSettings(BaseSettings):
    """Each is read from COLLECTOR_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="COLLECTOR_", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8080, ge=1, le=65535, description="Port to listen on")
    local_data: Path = Field(Path(".collector"), description="The stack's data folder")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
