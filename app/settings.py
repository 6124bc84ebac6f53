"""Settings: environment variables or `.env`, read once at start.

Each has its default here and in `.env.example`. A bad value stops the start with a message that
names the variable.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.engines.contract import InputType
from app.engines.remote.price import Price, parse_prices
from app.outbound.private_hosts import PrivateHosts, parse_private_hosts
from app.storage.location import Location, SqliteFile, parse_location

T = TypeVar("T")

PREFIX = "CLASSIFAILY_"
EMBEDDED = "embedded"
# What the tables hold of a model's name.
MAX_MODEL_LENGTH = 200
# A job's lease is 5 minutes: all models of a list must have failed before it runs out.
MAX_TIME_OF_A_TASK_S = 240
# A fetch has to leave time for the model within a worker's 5 minutes.
MAX_MEDIA_TIMEOUT_S = 120
MIN_SECRET_KEY_LENGTH = 32
# As browsers write it: no path, not even a slash (RFC 6454, 6.2).
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s]+")


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
    model: str = EMBEDDED
    model_image: str = ""
    model_audio: str = ""
    model_video: str = ""
    models_allowed: str = ""
    model_api_base: str = ""
    model_api_key: SecretStr = SecretStr("")
    model_timeout: float = Field(default=30, ge=1, le=MAX_TIME_OF_A_TASK_S)
    model_concurrency: int = Field(default=200, ge=1, le=10_000)
    # 0: what LiteLLM knows of the model.
    model_context: int = Field(default=0, ge=0)
    # Of models that are not in LiteLLM's table, or have another price for this operator.
    model_prices: str = ""
    text_encoder: str = ""
    model_label: str = Field(default="classifai-v1", min_length=1)
    allow_private_hosts: str = ""
    secret_key: SecretStr = SecretStr("")
    cors_origins: str = ""
    # Long enough that a busy process never misses its renewals, short enough to wait for.
    lease_seconds: float = Field(default=15, ge=1, le=3600)
    # 32 MiB leaves room for a 20 MB image as a base64 data URI.
    max_body_bytes: int = Field(default=32 * 1024 * 1024, ge=1024)
    # What an image, a recording or a video may have in bytes, and its fetch take in seconds.
    max_image_bytes: int = Field(default=20_000_000, ge=1024)
    max_audio_bytes: int = Field(default=200_000_000, ge=1024)
    max_video_bytes: int = Field(default=200_000_000, ge=1024)
    media_timeout: float = Field(default=30, ge=1, le=MAX_MEDIA_TIMEOUT_S)
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
        parts = urlsplit(value)
        whole = parts.hostname and re.fullmatch(r"(/\d*)?", parts.path)
        if parts.scheme != "memory" and not (parts.scheme in {"redis", "rediss"} and whole):
            raise ValueError("must be memory:// or redis://<host>:<port>/<database's number>")
        return value

    @field_validator("public_url")
    @classmethod
    def _absolute_url(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"http", "https"}:
            raise ValueError("must be an http or https URL")
        return value.rstrip("/")

    @field_validator("model", "model_image", "model_audio", "model_video", "models_allowed")
    @classmethod
    def _list_of_models(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.field_name != "model":
            return value
        names = _names(value)
        odd = [name for name in names if not name or len(name) > MAX_MODEL_LENGTH or " " in name]
        if odd or len(set(names)) < len(names):
            raise ValueError(
                f"must be '{EMBEDDED}', a LiteLLM model such as openai/gpt-4o-mini, or several of "
                "these, each once, separated by commas"
            )
        return ",".join(names)

    @field_validator("model_api_base")
    @classmethod
    def _address_of_models(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return value
        if urlsplit(value).scheme not in {"http", "https"}:
            raise ValueError("must be an http or https URL, such as http://127.0.0.1:8080/v1")
        return _for_one_provider(value.rstrip("/"), info)

    @field_validator("model_api_key")
    @classmethod
    def _key_of_models(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        return _for_one_provider(value, info) if value.get_secret_value() else value

    @field_validator("model_timeout")
    @classmethod
    def _within_the_lease(cls, value: float, info: ValidationInfo) -> float:
        longest = max(len(_names(models)) for models in _lists(info))
        if value * longest > MAX_TIME_OF_A_TASK_S:
            raise ValueError(
                f"must be at most {MAX_TIME_OF_A_TASK_S // longest} s with {longest} models in a "
                "list: a task may ask all of them"
            )
        return value

    @field_validator("model_prices")
    @classmethod
    def _known_prices(cls, value: str) -> str:
        parse_prices(value)
        return value

    @field_validator("allow_private_hosts")
    @classmethod
    def _known_hosts(cls, value: str) -> str:
        parse_private_hosts(value)
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        for origin in _listed(value):
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"must be origins such as https://app.example.com, separated by commas, or *; "
                    f"got '{origin}'"
                )
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_keys(cls, value: SecretStr) -> SecretStr:
        if any(len(key) < MIN_SECRET_KEY_LENGTH for key in _listed(value.get_secret_value())):
            raise ValueError(f"must have at least {MIN_SECRET_KEY_LENGTH} characters a key")
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
    def models(self) -> tuple[str, ...]:
        """The models that judge text, the first that works."""
        return _names(self.model)

    def models_for(self, input_type: InputType) -> tuple[str, ...]:
        """The models that judge a type of input, the first that works."""
        return self.own_models_for(input_type) or self.models

    def own_models_for(self, input_type: InputType) -> tuple[str, ...]:
        """The models that are named for a type of input in particular; empty when none is."""
        own = {
            InputType.TEXT: self.model,
            InputType.IMAGE: self.model_image,
            InputType.AUDIO: self.model_audio,
            InputType.VIDEO: self.model_video,
        }[input_type]
        return _names(own) if own else ()

    @property
    def all_models(self) -> tuple[str, ...]:
        """Every model of every list, each once."""
        lists = self.models_by_variable.values()
        return tuple(dict.fromkeys(name for models in lists for name in models))

    @property
    def allowed_models(self) -> tuple[str, ...]:
        """The models that accounts may choose; empty when none may."""
        return _names(self.models_allowed) if self.models_allowed else ()

    @property
    def prices(self) -> Mapping[str, Price]:
        """What the operator says that models cost, by model."""
        return parse_prices(self.model_prices)

    @property
    def models_by_variable(self) -> dict[str, tuple[str, ...]]:
        """The lists of models that are set, by the names of their variables."""
        lists = {
            "MODEL": self.model,
            "MODEL_IMAGE": self.model_image,
            "MODEL_AUDIO": self.model_audio,
            "MODEL_VIDEO": self.model_video,
            "MODELS_ALLOWED": self.models_allowed,
        }
        return {f"{PREFIX}{name}": _names(value) for name, value in lists.items() if value}

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
    def secret_keys(self) -> tuple[str, ...]:
        """What stored secrets are encrypted under: the first seals, all open. Empty: a file's."""
        return _listed(self.secret_key.get_secret_value())

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins whose pages may call the API from a browser."""
        return _listed(self.cors_origins)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, text.split(","))))


def load_settings(**overrides: object) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: A variable has a bad value.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError("\n".join(map(_describe, error.errors()))) from None


def _names(models: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in models.split(","))


def _lists(info: ValidationInfo) -> list[str]:
    """Return the lists of models that are set and have been found right."""
    fields = ("model", "model_image", "model_audio", "model_video")
    return [info.data[field] for field in fields if info.data.get(field)] or [EMBEDDED]


def _for_one_provider(value: T, info: ValidationInfo) -> T:
    """Refuse one address or key for several providers: it would reach the wrong one."""
    allowed = info.data.get("models_allowed") or EMBEDDED
    names = {name for models in (*_lists(info), allowed) for name in _names(models)} - {EMBEDDED}
    providers = {name.split("/", 1)[0] if "/" in name else "" for name in names}
    if len(providers) > 1:
        raise ValueError(
            f"is for one provider, but the models are of {len(providers)}: use the providers' own "
            "variables, such as OPENAI_API_KEY"
        )
    return value


def _describe(problem: ErrorDetails) -> str:
    variable = f"{PREFIX}{str(problem['loc'][0]).upper()}"
    return f"{variable}: {problem['msg'].removeprefix('Value error, ')}"
