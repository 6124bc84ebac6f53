"""Time as the product counts it: UTC, and calendar months for quotas."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

_PERIOD = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A calendar month in UTC, the unit of quotas."""

    year: int
    month: int

    @classmethod
    def of(cls, moment: datetime) -> "Period":
        """Return the month that holds an aware moment."""
        utc = moment.astimezone(UTC)
        return cls(utc.year, utc.month)

    @classmethod
    def parse(cls, text: str) -> "Period | None":
        """Read `YYYY-MM`; None when it is not one, or what follows it can't be written."""
        match = _PERIOD.fullmatch(text)
        if match is None or match[1] == "0000" or text == "9999-12":
            return None
        return cls(int(match[1]), int(match[2]))

    @property
    def start(self) -> datetime:
        """The month's first moment."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The next month's first moment, when the quota resets."""
        if self.month == 12:
            return datetime(self.year + 1, 1, 1, tzinfo=UTC)
        return datetime(self.year, self.month + 1, 1, tzinfo=UTC)

    @property
    def first_day(self) -> date:
        """The month's first day."""
        return date(self.year, self.month, 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def now() -> datetime:
    """Return the present moment in UTC, to the millisecond that storage keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_iso(moment: datetime) -> str:
    """Write a moment as the API shows it: ISO 8601, whole seconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
