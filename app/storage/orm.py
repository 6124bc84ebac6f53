"""The ORM's configuration under a name that its command line can load, on a database in memory."""

from pathlib import Path

from app.storage.database import orm_config
from app.storage.location import SqliteFile

CONFIG = orm_config(SqliteFile(Path(":memory:")))
