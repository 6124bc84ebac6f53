"""Settings: environment variables or `.env`, read once at start.

Each has its default here and in `.env.example`. A bad value stops the start with a message that
names the variable.
"""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.outbound.private_hosts import PrivateHosts, parse_private_hosts
from app.storage.location import Location, SqliteFile, parse_location

PREFIX = "CLASSIFAILY_"


class SettingsError(Exception):
    """A setting is wrong. The message names the variable and says what would be right."""


class Settings(BaseSettings):
    """The server's configuration."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    data_dir: Path = Path("data")
    database_url: str = ""
    broker_url: str = "memory://"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str = ""
    model: str = "embedded"
    text_encoder: str = ""
    model_label: str = Field(default="classifai-v1", min_length=1)
    allow_private_hosts: str = ""
    cors_origins: str = ""
    # 32 MiB leaves room for a 20 MB image as a base64 data URI.
    # Long enough that a busy process never misses its renewals, short enough to wait for.
    lease_seconds: float = Field(default=15, ge=1, le=3600)
    max_body_bytes: int = Field(default=32 * 1024 * 1024, ge=1024)
    # Empty: below the data folder. An image brings them prepared, in a folder that is only read.
    models_dir: str = ""
    worker_metrics_port: int = Field(default=0, ge=0, le=65535)
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value:
            parse_location(value)
        return value

    @field_validator("broker_url")
    @classmethod
    def _known_broker(cls, value: str) -> str:
        if urlsplit(value).scheme not in {"memory", "redis", "rediss"}:
            raise ValueError("must be memory:// or redis://<host>:<port>/<database>")
        return value

    @field_validator("public_url")
    @classmethod
    def _absolute_url(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"http", "https"}:
            raise ValueError("must be an http or https URL")
        return value.rstrip("/")

    @field_validator("model")
    @classmethod
    def _known_model(cls, value: str) -> str:
        if value != "embedded":
            raise ValueError("must be 'embedded': this release has no other engine")
        return value

    @field_validator("allow_private_hosts")
    @classmethod
    def _known_hosts(cls, value: str) -> str:
        parse_private_hosts(value)
        return value

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def database(self) -> Location:
        """Where the database is."""
        if not self.database_url:
            return SqliteFile(self.data_dir / "classifaily.db")
        return parse_location(self.database_url)

    @property
    def broker_is_embedded(self) -> bool:
        """Whether background work is done in the serving process itself."""
        return urlsplit(self.broker_url).scheme == "memory"

    @property
    def prepared_dir(self) -> Path:
        """Where models are kept in the form in which they run."""
        return Path(self.models_dir) if self.models_dir else self.data_dir / "models"

    @property
    def base_url(self) -> str:
        """Where callers reach the server, without a trailing slash."""
        if self.public_url:
            return self.public_url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def private_hosts(self) -> PrivateHosts:
        """What users' URLs may reach although it is private."""
        return parse_private_hosts(self.allow_private_hosts)

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins whose pages may call the API from a browser."""
        return tuple(origin.strip() for origin in self.cors_origins.split(",") if origin.strip())


def load_settings(**overrides: object) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: A variable has a bad value.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError("\n".join(map(_describe, error.errors()))) from None


def _describe(problem: ErrorDetails) -> str:
    variable = f"{PREFIX}{str(problem['loc'][0]).upper()}"
    return f"{variable}: {problem['msg'].removeprefix('Value error, ')}"
