"""Where the database is: a SQLite file or a PostgreSQL server."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

SQLITE_SCHEME = "sqlite"
POSTGRES_SCHEMES = ("postgres", "postgresql")


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """The embedded database."""

    path: Path

    def __str__(self) -> str:
        return f"SQLite, {self.path}"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A PostgreSQL database by its URL. Shown without user and password."""

    url: str

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"PostgreSQL, {parts.hostname or 'local socket'}{port}{parts.path}"


Location = SqliteFile | PostgresServer


def parse_location(url: str) -> Location:
    """Read a database URL.

    Raises:
        ValueError: It is neither `sqlite://<path>` nor `postgres://…/<database>`.
    """
    parts = urlsplit(url)
    path = url.removeprefix(f"{SQLITE_SCHEME}://")
    if parts.scheme == SQLITE_SCHEME and path not in {url, ""}:
        return SqliteFile(Path(path))
    if parts.scheme in POSTGRES_SCHEMES and parts.path.strip("/"):
        return PostgresServer(url)
    raise ValueError("must be sqlite://<path of a file> or postgres://<user>@<host>/<database>")
